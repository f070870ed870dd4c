import DataParallel
import Diagnostics
import Graph
import Plan

/// The network of a run, planned for training and for use.
package struct ModelPlans {
  package let training: ExecutionPlan
  package let evaluation: ExecutionPlan

  /// - Throws: A `Diagnostic` that names the layer that does not fit.
  package init(_ spec: RunSpec) throws {
    let options = PlanOptions(
      fusion: spec.plan.fusion,
      bucketElements: max(1, spec.plan.bucketBytes / MemoryLayout<Float>.stride))
    let shardCapacity = spec.training.batch / spec.training.shards
    training = ExecutionPlan(
      training: try GraphBuilder.forward(spec.model, loss: spec.loss, mode: .training),
      capacity: shardCapacity, options: options)
    evaluation = ExecutionPlan(
      inference: try GraphBuilder.forward(spec.model, loss: spec.loss, mode: .evaluation),
      capacity: spec.evaluation.batch ?? shardCapacity, options: options)
  }

  package var graph: ModelGraph { training.graph }

  /// Numbers that the network gives for a sample.
  package var outputs: Int { graph.outputShape.reduce(1, *) }

  /// Floating-point operations of one sample, forward only.
  package var forwardFLOPs: Int { graph.layers.reduce(0) { $0 + $1.forwardFLOPs } }

  /// Floating-point operations of one sample, forward and backward.
  package var flopsPerSample: Int {
    training.graph.operations.reduce(0) { $0 + $1.kind.flops }
  }

  /// Bytes that a rank holds for training: activations, weights, sums and optimizer state.
  ///
  /// - Parameter ranks: How many ranks share the micro-shards; the first has the most to hold.
  package func bytesPerRank(_ spec: RunSpec, ranks: Int) -> Int {
    let shards = ShardRange.shards(ofRank: 0, of: ranks, shards: spec.training.shards)
    let sumBuffers = LocalSum(shards: shards, of: spec.training.shards).slotCount
    let copies = 1 + spec.optimizer.rule.slotCount + (spec.training.emaDecay == nil ? 0 : 1)
    let elements =
      arenaCount + copies * training.leaf.parameterCount + sumBuffers * training.leaf.count
    return elements * MemoryLayout<Float>.stride
  }

  /// Elements of the one arena that serves both plans.
  package var arenaCount: Int { max(training.arena.count, evaluation.arena.count) }
}
