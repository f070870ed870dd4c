/// What training computes a second time in backward instead of keeping it from forward.
package enum Recomputation: Sendable {
  case nothing
  /// What the model's blocks compute inside of themselves.
  case blocks
}

extension ModelGraph {
  /// Of a graph with its backward half: the same numbers from less memory and more time.
  ///
  /// What a block computes inside of itself is not kept from forward. Right before the first backward operation that reads
  /// any of it, the block's operations are done again, as far as backward needs their results, and backward
  /// reads the copies. They compute from the same inputs by the same kernels, random draws come from the same counters, and
  /// so every bit stays the same. The insides of all blocks can then lie in the memory of one.
  ///
  /// Kept from forward is what anything outside of the block reads in forward, the next block before all, and what does
  /// not grow with the samples. The latter is little, and all that operations give which must not be done
  /// twice: shares of running statistics and losses, sums over all ranks.
  ///
  /// Source: Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear memory cost", 2016, section 4.1.
  ///
  /// - Parameter forwardCount: Operations of the forward half, which come first.
  package func recomputingBlocks(forwardCount: Int) -> ModelGraph {
    let homes = innerValues(forwardCount: forwardCount)
    var repeated = repeatedOperations(homes, forwardCount: forwardCount)
    var result = self
    result.operations.removeSubrange(forwardCount...)
    var copies: [ValueID: ValueID] = [:]
    for var operation in operations[forwardCount...] {
      for block in operation.inputs.compactMap({ homes[$0] }) {
        result.add(copiesOf: repeated.removeValue(forKey: block) ?? [], homes, &copies)
      }
      operation.inputs = operation.inputs.map { copies[$0] ?? $0 }
      result.operations.append(operation)
    }
    return result
  }

  /// Blocks of which something is computed twice.
  package var recomputedBlockCount: Int {
    Set(operations.filter(\.isRecomputed).compactMap(\.block)).count
  }

  /// Floating-point operations of a sample that are done a second time.
  package var recomputedFLOPs: Int {
    operations.filter(\.isRecomputed).reduce(0) { $0 + $1.kind.flops }
  }

  /// The values that forward need not keep, with the number of the block that they lie in.
  private func innerValues(forwardCount: Int) -> [ValueID: Int] {
    var homes: [ValueID: Int] = [:]
    for operation in operations[..<forwardCount] {
      for input in operation.inputs where homes[input] != operation.block { homes[input] = nil }
      guard let block = operation.block else { continue }
      for output in operation.outputs where self[output].role.growsWithSamples {
        homes[output] = block
      }
    }
    return homes
  }

  /// The operations whose results backward needs again, by block.
  private func repeatedOperations(
    _ homes: [ValueID: Int], forwardCount: Int
  ) -> [Int: [Operation]] {
    var needed = Set(operations[forwardCount...].flatMap(\.inputs).filter { homes[$0] != nil })
    var repeated: [Int: [Operation]] = [:]
    for operation in operations[..<forwardCount].reversed() {
      guard let block = operation.block, operation.outputs.contains(where: needed.contains)
      else { continue }
      needed.formUnion(operation.inputs.filter { homes[$0] != nil })
      repeated[block, default: []].insert(operation, at: 0)
    }
    return repeated
  }

  /// Appends operations a second time, with values of their own.
  private mutating func add(
    copiesOf operations: [Operation], _ homes: [ValueID: Int], _ copies: inout [ValueID: ValueID]
  ) {
    for var operation in operations {
      precondition(operation.isRepeatable(in: self), "\(operation.kind.name) would be done twice")
      operation.inputs = operation.inputs.map { copies[$0] ?? $0 }
      operation.outputs = operation.outputs.map { output in
        let copy = addValue(self[output].role, elementCount: self[output].elementCount)
        if homes[output] != nil { copies[output] = copy }
        return copy
      }
      operation.isRecomputed = true
      self.operations.append(operation)
    }
  }
}

extension Operation {
  /// Whether it may be done twice in a step: it does nothing but write values of this micro-shard.
  fileprivate func isRepeatable(in graph: ModelGraph) -> Bool {
    outputs.allSatisfy { graph[$0].role.isInArena } && !kind.givesBatchShare
  }
}

extension ModelSpec {
  /// Whether any of its layers form a block.
  package var hasBlocks: Bool {
    layers.flatMap(\.withInner).contains { layer in
      switch layer.kind {
      case .repeat(_, let layers): layers.areBlock
      default: layer.isBlock
      }
    }
  }
}

extension LayerSpec {
  /// Whether it is a block, unless it lies in one: made of layers none of which is a `repeat`, whose rounds are blocks.
  var isBlock: Bool {
    switch kind {
    case .residual, .parallel, .sequence: withInner.areBlock
    default: false
    }
  }
}

extension [LayerSpec] {
  /// Whether they are a block as one round of a `repeat`: there is no other one among them.
  var areBlock: Bool {
    !flatMap(\.withInner).contains { layer in
      if case .repeat = layer.kind { true } else { false }
    }
  }
}
