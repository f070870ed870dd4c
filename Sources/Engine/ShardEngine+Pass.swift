import DataParallel
import Graph
import Kernels
import Storage

// Several micro-shards in one pass. Most operations compute row by row and run over all samples at once; those that give
// or read sums over a micro-shard run for one after the other, and gradients are folded while they are in a cache.

/// Micro-shards of a rank that go through the network together.
package struct ShardPass {
  /// In the numbers of this rank.
  package let shards: Range<Int>
  /// The number within the batch of this rank's first one.
  private let firstShard: Int
  private let shardCount: Int
  private let sampleCount: Int

  /// - Parameters:
  ///   - shardCount: V, of the batch.
  ///   - sampleCount: Of the batch.
  package init(_ shards: Range<Int>, firstShard: Int, shardCount: Int, sampleCount: Int) {
    self.shards = shards
    self.firstShard = firstShard
    self.shardCount = shardCount
    self.sampleCount = sampleCount
  }

  /// Positions in the batch.
  package var samples: Range<Int> {
    positions(ofShard: shards.lowerBound)
      .lowerBound..<positions(ofShard: shards.upperBound - 1).upperBound
  }

  /// Positions of a micro-shard in the batch.
  func positions(ofShard shard: Int) -> Range<Int> {
    ShardRange.samples(ofShard: firstShard + shard, of: shardCount, samples: sampleCount)
  }
}

extension ShardEngine {
  /// Runs an operation for all samples of a pass; what it gives to sums over micro-shards is folded.
  ///
  /// - Precondition: `beginShard` was told all samples of the pass.
  package func run(_ index: Int, _ pass: ShardPass, into summation: GradientSummation<S>) {
    guard isShardWise[index] else {
      if rows > 0 { run(index) }
      return
    }
    let operation = operations[index]
    if runTree(operation, pass, into: summation) { return }
    let (all, first) = (rows, firstSample)
    for shard in pass.shards {
      let positions = pass.positions(ofShard: shard)
      let leaf = summation.leaf(forLocalShard: shard)
      for output in operation.outputs {
        if let range = plan.leafRange(of: output) { blocks[output.index] = leaf[range] }
      }
      firstRow = positions.lowerBound - pass.samples.lowerBound
      placeInPass = shard - pass.shards.lowerBound
      rows = positions.count
      firstSample = first + UInt64(firstRow)
      if rows > 0 { run(index) }
      for output in operation.outputs {
        guard let range = plan.leafRange(of: output) else { continue }
        if rows == 0 { leaf[range].fill(0) }
        summation.fold(range, localShard: shard)
      }
    }
    (rows, firstRow, firstSample) = (all, 0, first)
    placeInPass = 0
  }

  /// The gradient of a dense layer's weights in the order of the tree, if the samples of the pass are few enough.
  ///
  /// - Returns: Whether it was computed.
  private func runTree(
    _ operation: Operation, _ pass: ShardPass, into summation: GradientSummation<S>
  ) -> Bool {
    guard case .denseWeightGradient(let inputs, let units, let positions) = operation.kind,
      rows > 0, rows * positions <= treeProductDepthLimit,
      let range = plan.leafRange(of: operation.outputs[0])
    else { return false }
    let start = pass.samples.lowerBound
    for (index, shard) in pass.shards.enumerated() {
      partBounds[index] = (pass.positions(ofShard: shard).lowerBound - start) * positions
    }
    partBounds[pass.shards.count] = rows * positions
    summation.withSlots(range) { slot0, slotStride in
      treeProduct(
        MatrixShape(rows: inputs, columns: units, depth: rows * positions),
        order: summation.mergeOrder(of: pass.shards), bounds: partBounds,
        a: block(operation.inputs[0]), aRowStride: 1, aDepthStride: inputs,
        b: block(operation.inputs[1]), bDepthStride: units, into: slot0, slotStride: slotStride,
        scratch: scratch)
    }
    return true
  }
}
