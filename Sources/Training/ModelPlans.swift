import Diagnostics
import Graph
import Kernels
import Plan

/// The network of a run, planned for training and for use.
package struct ModelPlans: Sendable {
  package let training: ExecutionPlan
  package let evaluation: ExecutionPlan
  /// Training steps of sequences that are shorter than the longest, with the same parameters, by ascending length; empty
  /// without `data.buckets`.
  package let shorter: [ExecutionPlan]

  /// - Parameters:
  ///   - bucketBytes: For configs that leave the choice open.
  ///   - ranks: That share the micro-shards; no pass has more than one of them owns.
  /// - Throws: A `Diagnostic` that names the layer that does not fit.
  package init(_ spec: RunSpec, bucketBytes: Int = 1 << 20, ranks: Int = 1) throws {
    let options = PlanOptions(
      fusion: spec.plan.fusion,
      bucketElements: max(1, (spec.plan.bucketBytes ?? bucketBytes) / MemoryLayout<Float>.stride),
      recompute: spec.training.recompute, shards: (spec.training.shards + ranks - 1) / ranks)
    let shardCapacity = spec.training.batch / spec.training.shards
    training = ExecutionPlan(
      training: try spec.forwardGraph(.training),
      capacity: shardCapacity, options: options)
    shorter = try spec.shorterGraphs(than: training.graph).map {
      ExecutionPlan(training: $0, capacity: shardCapacity, options: options)
    }
    evaluation = ExecutionPlan(
      inference: try spec.forwardGraph(.evaluation),
      capacity: spec.evaluation.batch ?? shardCapacity, options: options)
  }

  init(training: ExecutionPlan, evaluation: ExecutionPlan) {
    self.training = training
    self.evaluation = evaluation
    shorter = []
  }

  package var graph: ModelGraph { training.graph }

  /// Numbers that the network gives for a sample, or for each of its classes.
  package var outputs: Int { graph.outputs }

  /// How many numbers, or classes, a target may have; nil: the loss has no use for one.
  package var targetOutputs: Int? {
    graph.operations.contains { $0.comparesWithTargets(in: graph) } ? outputs : nil
  }

  /// Class numbers of a sample: one for each step of a sequence of logits.
  package var answers: Int { graph.answers }

  /// Numbers that the loss compares at a time, each of which may have a weight and a name.
  package var comparedOutputs: Int { graph.lossShape.outputs }

  /// Floating-point operations of one sample, forward only.
  package var forwardFLOPs: Int { graph.layers.reduce(0) { $0 + $1.forwardFLOPs } }

  /// Floating-point operations of one sample, forward and backward.
  package var flopsPerSample: Int {
    training.graph.operations.reduce(0) { $0 + $1.kind.flops }
  }

  /// Elements of the one arena that serves all plans.
  package var arenaCount: Int {
    ([training, evaluation] + shorter).map(\.arena.count).max() ?? 0
  }
}

extension RunSpec {
  /// How each convolution is computed, by layer: other choices have other bits.
  ///
  /// - Throws: A `Diagnostic` that names the layer that does not fit.
  package func convolutionAlgorithms() throws -> [String: String] {
    let choices = try forwardGraph(.training).operations.compactMap {
      operation -> (String, String)? in
      guard case .convolution(let geometry) = operation.kind else { return nil }
      return ("conv.algorithm of \(operation.layer)", ConvolutionPlan(geometry).description)
    }
    return Dictionary(choices) { first, _ in first }
  }

  /// The network with its loss, before the gradients.
  func forwardGraph(_ mode: GraphMode) throws -> ModelGraph {
    try GraphBuilder.forward(
      model, loss: loss, target: lossTarget, auxiliary: auxiliaryLosses, mode: mode,
      convolutions: convolution.algorithm)
  }
}

extension Operation {
  /// Whether it is a loss that compares outputs with the data's targets.
  fileprivate func comparesWithTargets(in graph: ModelGraph) -> Bool {
    switch kind {
    case .loss(let spec, _, _): !spec.isPairwise && graph[inputs[1]].role == .target
    case .temporalLoss: true
    case .lossTerm(let shape): shape.kind.readsTargets && !shape.hasTarget
    default: false
    }
  }
}
