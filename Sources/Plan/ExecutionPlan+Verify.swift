import Graph

extension ExecutionPlan {
  /// Proves what the engine relies on; a plan that fails is a bug of ours, not of the user's.
  func verify() {
    let faults = faults()
    precondition(faults.isEmpty, faults.joined(separator: "; "))
  }

  /// What is wrong with the plan, in words; empty for a sound one.
  package func faults() -> [String] {
    unreadyReads() + overlaps() + bucketFaults() + unsummedReads()
  }

  /// Values read before an operation wrote them.
  private func unreadyReads() -> [String] {
    var ready = Set<ValueID>()
    for index in graph.values.indices {
      switch graph.values[index].role {
      case .input, .target, .parameter, .statistic, .state: ready.insert(ValueID(index))
      default: break
      }
    }
    var faults: [String] = []
    for operation in graph.operations {
      for input in operation.inputs where !ready.contains(input) {
        faults.append("\(operation.kind.name) of \(operation.layer) reads an unwritten value")
      }
      ready.formUnion(operation.outputs)
    }
    return faults
  }

  /// Replays who owns each stretch of the arena and finds reads of memory that was written over.
  private func overlaps() -> [String] {
    var faults: [String] = []
    var owners: [(range: Range<Int>, value: ValueID)] = []
    func write(_ value: ValueID) {
      guard let range = arena.regions[value.index] else { return }
      owners.removeAll { $0.range.overlaps(range) }
      owners.append((range, value))
    }
    write(graph.input)
    for operation in graph.operations {
      for input in operation.inputs where arena.regions[input.index] != nil {
        if !owners.contains(where: { $0.value == input }) {
          faults.append("\(operation.kind.name) of \(operation.layer) reads overwritten memory")
        }
      }
      let outputs = operation.outputs.compactMap { arena.regions[$0.index] }
      for (index, range) in outputs.enumerated() {
        if outputs[..<index].contains(where: { $0.overlaps(range) }) {
          faults.append(
            "\(operation.kind.name) of \(operation.layer) writes two outputs to one place")
        }
      }
      operation.outputs.forEach(write)
    }
    return faults
  }

  /// Buckets: tile the leaf in order, end once, wait once after the end, update once after the wait.
  private func bucketFaults() -> [String] {
    var faults: [String] = []
    let ends = shard.compactMap { if case .endLeaf(let bucket) = $0 { bucket } else { nil } }
    let waits = finish.compactMap { if case .waitSum(let bucket) = $0 { bucket } else { nil } }
    let updates = finish.compactMap { if case .update(let bucket) = $0 { bucket } else { nil } }
    let expected = Array(buckets.indices)
    if ends != expected { faults.append("buckets end in the order \(ends)") }
    if waits != expected { faults.append("buckets are waited for in the order \(waits)") }
    if updates != expected { faults.append("buckets are updated in the order \(updates)") }
    if !buckets.isEmpty, buckets.map(\.lowerBound) != [0] + buckets.dropLast().map(\.upperBound) {
      faults.append("buckets do not tile the leaf: \(buckets)")
    }
    if let end = buckets.last?.upperBound, end != leaf.count {
      faults.append("buckets end at \(end) of \(leaf.count)")
    }
    return faults + lateWrites()
  }

  /// Operations that write into a bucket after it was ended.
  private func lateWrites() -> [String] {
    var ended = 0
    var faults: [String] = []
    for instruction in shard {
      switch instruction {
      case .endLeaf(let bucket): ended = buckets[bucket].upperBound
      case .run(let index):
        for output in graph.operations[index].outputs {
          if let range = leafRange(of: output), range.lowerBound < ended {
            faults.append("\(graph.operations[index].kind.name) writes into an ended bucket")
          }
        }
      default: break
      }
    }
    return faults
  }

  /// Shares of the whole batch that are read before they are summed, or summed before they are there.
  private func unsummedReads() -> [String] {
    guard !buckets.isEmpty else { return [] }
    var shares = Set<ValueID>()
    var faults: [String] = []
    for instruction in shard {
      switch instruction {
      case .run(let index):
        let operation = graph.operations[index]
        if operation.inputs.contains(where: shares.contains) {
          faults.append("\(operation.kind.name) of \(operation.layer) reads an unsummed share")
        }
        if operation.kind.givesBatchShare { shares.insert(operation.outputs[0]) }
      case .sumOverRanks(let index):
        let operation = graph.operations[index]
        if shares.remove(operation.outputs[0]) == nil {
          faults.append("\(operation.kind.name) of \(operation.layer) has nothing to sum")
        }
      default: break
      }
    }
    return faults
  }

  /// The slice of the leaf that a value is, for values that are summed over micro-shards.
  package func leafRange(of value: ValueID) -> Range<Int>? {
    switch graph[value].role {
    case .parameterGradient(let index): leaf.gradient(of: index)
    case .statisticShare(let index): leaf.statistics[index]
    case .lossShare: leaf.loss.map { $0..<$0 + 1 }
    case .lossTermShare(let index):
      leaf.lossTerms.lowerBound + index..<leaf.lossTerms.lowerBound + index + 1
    case .correctShare: leaf.correct.map { $0..<$0 + 1 }
    default: nil
    }
  }
}
