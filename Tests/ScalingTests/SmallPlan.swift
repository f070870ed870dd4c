import Graph
import Plan
import Scaling

/// A network of dense layers whose operations all take the same time.
struct SmallPlan {
  let plan: ExecutionPlan

  /// - Parameter bucketElements: Elements from which on a bucket is closed.
  init(layers: Int = 4, width: Int = 64, bucketElements: Int = 1000) throws {
    let kinds = Array(repeating: LayerSpec(.dense(DenseSpec(units: width))), count: layers)
    let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)
    plan = ExecutionPlan(
      training: try GraphBuilder.forward(
        ModelSpec(input: [width], layers: kinds), loss: loss, mode: .training),
      capacity: 4, options: PlanOptions(bucketElements: bucketElements))
  }

  /// Everything costs the same on every number of cores; sums in memory and flags as given.
  func times(
    operation: Double, sumPerByte: Double = 0, flag: Double = 0, update: Double = 0
  ) -> MachineTimes {
    let rank = RankTimes(
      loadSeconds: 0, operationSeconds: plan.graph.operations.map { _ in operation },
      mergeSeconds: 0, checkSeconds: 0, updateSeconds: update, sumSecondsPerByte: sumPerByte)
    return MachineTimes(cores: 2, alone: rank, crowded: rank, flagSeconds: flag)
  }

  var leafBytes: Double { Double(plan.leaf.count * 4) }

  func step(
    _ times: MachineTimes, _ cluster: Cluster, _ network: NetworkModel, shards: Int = 64,
    overlaps: Bool = true
  ) -> StepPrediction {
    StepPrediction(
      StepSimulation.run(
        plan, cluster.layout(shards: shards), times: times, network: network, overlaps: overlaps))
  }
}

/// Messages that cost nothing.
let freeNetwork = NetworkModel(latencySeconds: 0, bytesPerSecond: .infinity)

/// Equal up to rounding: sums of at most a thousand terms, each with a relative error of 2^-53.
func isClose(_ a: Double, _ b: Double) -> Bool {
  (a - b).magnitude <= 1000 * Double.ulpOfOne * max(a.magnitude, b.magnitude)
}
