import Graph

extension ExecutionPlan {
  /// The program as text, one instruction a line, for `summary --plan` and golden files.
  package var text: String {
    var lines = [
      "plan: \(graph.operations.count) operations, \(buckets.count) buckets, "
        + "arena \(arena.count) elements for \(passCapacity) samples, leaf \(leaf.count) elements"
    ]
    if !shard.isEmpty {
      let count = shardsPerPass
      lines.append(count == 1 ? "for each micro-shard:" : "for every \(count) micro-shards:")
    }
    lines += shard.map { "  " + describe($0) }
    if !finish.isEmpty { lines.append("then:") }
    lines += finish.map { "  " + describe($0) }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What every instruction is called in traces and messages: its line of `text` without the places in
  /// memory, first those of `shard`, then those of `finish`.
  package var instructionNames: [String] { (shard + finish).map(name) }

  private func describe(_ instruction: Instruction) -> String {
    switch instruction {
    case .run(let index):
      let operation = graph.operations[index]
      let inputs = operation.inputs.map(describe).joined(separator: ", ")
      let outputs = operation.outputs.map(describe).joined(separator: ", ")
      return "\(name(instruction)) \(inputs) -> \(outputs)"
    case .sumOverRanks(let index):
      return "\(name(instruction)) \(describe(graph.operations[index].outputs[0]))"
    case .endLeaf(let bucket): return "\(name(instruction)) \(describe(buckets[bucket]))"
    default: return name(instruction)
    }
  }

  private func name(_ instruction: Instruction) -> String {
    switch instruction {
    case .run(let index):
      let operation = graph.operations[index]
      let again = operation.isRecomputed ? " again" : ""
      return "\(operation.kind.name)\(again) [\(operation.layer)]"
    case .endLeaf(let bucket): return "end-leaf, start-sum bucket \(bucket)"
    case .sumOverRanks(let index): return "sum over ranks [\(graph.operations[index].layer)]"
    case .poll: return "poll"
    case .waitSum(let bucket): return "wait-sum bucket \(bucket)"
    case .check: return "check finite, clip"
    case .update(let bucket): return "update bucket \(bucket)"
    }
  }

  private func describe(_ value: ValueID) -> String {
    switch graph[value].role {
    case .target: "target"
    case .parameter(let index): graph.parameters[index].name
    case .statistic(let index): graph.statistics[index].name
    case .state(let index): "state.\(graph.states[index].name)"
    case .nextState(let index): "next.\(graph.states[index].name)"
    case .parameterGradient(let index): "gradient.\(graph.parameters[index].name)"
    case .statisticShare(let index): "share.\(graph.statistics[index].name)"
    case .lossShare: "loss"
    case .lossTermShare(let index): "loss_term.\(index)"
    case .correctShare: "correct"
    case .input, .activation, .shardConstant:
      "%\(value.index)" + (arena.regions[value.index].map { "@\(describe($0))" } ?? "")
    }
  }

  private func describe(_ range: Range<Int>) -> String {
    "\(range.lowerBound)+\(range.count)"
  }
}
