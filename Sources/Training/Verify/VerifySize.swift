import Graph
import Plan

/// How much of a run its proofs take: a few samples, so that the largest networks are done in about a minute.
///
/// A network that takes very much for each sample is proven on smaller inputs, as far as its layers allow: weights and
/// layers are the same, there are only fewer positions.
package struct VerifySize: Equatable, Sendable {
  /// Of the model as it is proven.
  package private(set) var input: [Int]
  /// Samples whose loss is differentiated.
  package private(set) var gradientSamples: Int
  /// V of the steps that are proven.
  package private(set) var shards: Int
  /// Samples of such a step; shards differ by one.
  package private(set) var batch: Int
  package private(set) var overfitSteps: Int
  /// How often the loss may be computed for differences.
  package private(set) var lossEvaluations: Int

  /// - Throws: A `Diagnostic` that names the layer that does not fit.
  package init(_ spec: RunSpec, ranks: Int) throws {
    var spec = spec
    var work = try Self.work(of: spec)
    while work.sample > Self.handyWork, spec.model.inputs.isEmpty,
      let input = Self.halved(spec.model.input)
    {
      var smaller = spec
      smaller.model.input = input
      guard let less = try? Self.work(of: smaller) else { break }
      (spec, work) = (smaller, less)
    }
    input = spec.model.input
    // Losses on distances find others of a class only among many.
    let fewest = spec.comparesSamples ? 16 : 2
    gradientSamples = Self.count(3e9 / work.sample, in: fewest...max(fewest, 4))
    lossEvaluations = Self.count(
      1e11 / (work.sample * Double(gradientSamples) + work.weights), in: 16...2000)
    let most = spec.training.shards
    let pairs = Self.count(
      min(3e10 / work.sample, 1e10 / work.weights), in: min(2, most)...most)
    shards = spec.model.wholeBatchNorms.isEmpty ? max(pairs, ranks) : 1
    batch = fewest * shards + 1
    let step = 3 * work.sample * Double(batch) + work.weights * Double(4 * shards + 10)
    overfitSteps = Self.count(4e11 / step, in: 6...60)
  }

  /// Samples of the largest micro-shard.
  package var capacity: Int { (batch + shards - 1) / shards }

  /// The run with this size.
  package func applied(to spec: RunSpec) -> RunSpec {
    var spec = spec
    spec.model.input = input
    spec.data.lengthBuckets = []
    spec.training.shards = shards
    spec.training.batch = shards * capacity
    spec.training.localSteps = 1
    spec.training.maxSteps = nil
    spec.evaluation.batch = capacity
    spec.communication = CommunicationSpec()
    return spec
  }

  /// Forward operations of a sample up to which inputs stay as they are.
  private static var handyWork: Double { 5e8 }

  /// What a sample's forward pass and a pass over all weights cost, in floating-point operations; what only passes
  /// through memory counts by its size.
  private static func work(of spec: RunSpec) throws -> (sample: Double, weights: Double) {
    let graph = try spec.forwardGraph(.training)
    let products = graph.operations.reduce(0) { $0 + $1.kind.flops }
    let elements = graph.values.reduce(0) { $0 + ($1.role == .activation ? $1.elementCount : 0) }
    return (
      Double(products) + 60 * Double(elements) + 3000 * Double(graph.operations.count),
      100 * Double(max(graph.parameterCount, 1))
    )
  }

  /// Half as many steps, or rows and columns; nil: there are few enough.
  private static func halved(_ input: [Int]) -> [Int]? {
    let spatial = max(1, input.count - 1)
    guard input.prefix(spatial).allSatisfy({ $0 >= 32 }) else { return nil }
    return input.prefix(spatial).map { $0 / 2 } + input.dropFirst(spatial)
  }

  private static func count(_ number: Double, in range: ClosedRange<Int>) -> Int {
    min(max(Int(min(number, 1e9)), range.lowerBound), range.upperBound)
  }
}
