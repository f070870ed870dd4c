import Diagnostics
import Graph
import Plan

/// The network of a run, planned for training and for use.
package struct ModelPlans: Sendable {
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

  /// Elements of the one arena that serves both plans.
  package var arenaCount: Int { max(training.arena.count, evaluation.arena.count) }
}
