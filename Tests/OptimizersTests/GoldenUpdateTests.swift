import Graph
import Kernels
import Optimizers
import Storage
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What was done in `golden_updates.py`, said in our spec.
struct UpdateCase: Sendable, CustomStringConvertible {
  let name: String
  let spec: OptimizerSpec
  var clipNorm: Double?
  var clipValue: Double?

  var description: String { name }

  init(
    _ name: String, _ rule: UpdateRule, l2: Double = 0, l1: Double = 0, decay: Double = 0,
    clipNorm: Double? = nil, clipValue: Double? = nil
  ) {
    self.name = name
    var spec = OptimizerSpec(rule: rule, learningRate: 0.05)
    spec.l2 = l2
    spec.l1 = l1
    spec.weightDecay = decay
    self.spec = spec
    self.clipNorm = clipNorm
    self.clipValue = clipValue
  }
}

@Suite("Updates as PyTorch and the papers do them")
struct GoldenUpdateTests {
  private static let heavy = UpdateRule.momentum(beta: 0.9, nesterov: false)
  private static let nesterov = UpdateRule.momentum(beta: 0.8, nesterov: true)
  private static let rmsprop = UpdateRule.rmsprop(beta: 0.9, epsilon: 1e-3)
  private static let adagrad = UpdateRule.adagrad(epsilon: 1e-2)
  private static let adam = UpdateRule.adam(beta1: 0.8, beta2: 0.95, epsilon: 1e-2)
  private static let lars = UpdateRule.lars(momentum: 0.9, trust: 0.3)
  private static let lamb = UpdateRule.lamb(beta1: 0.8, beta2: 0.95, epsilon: 1e-2)

  static let cases = [
    UpdateCase("sgd", .sgd),
    UpdateCase("sgd l2", .sgd, l2: 0.3),
    UpdateCase("sgd l1", .sgd, l1: 0.4),
    UpdateCase("sgd decay", .sgd, decay: 0.6),
    UpdateCase("sgd clip norm", .sgd, clipNorm: 1.5),
    UpdateCase("sgd clip value", .sgd, clipValue: 0.9),
    UpdateCase("sgd clip norm l2", .sgd, l2: 0.3, clipNorm: 1.5),
    UpdateCase("momentum", heavy),
    UpdateCase("momentum l2", heavy, l2: 0.3),
    UpdateCase("momentum decay", heavy, decay: 0.6),
    UpdateCase("nesterov", nesterov),
    UpdateCase("nesterov l2", nesterov, l2: 0.3),
    UpdateCase("rmsprop", rmsprop),
    UpdateCase("rmsprop l2", rmsprop, l2: 0.3),
    UpdateCase("adagrad", adagrad),
    UpdateCase("adagrad l2", adagrad, l2: 0.3),
    UpdateCase("adam", adam),
    UpdateCase("adam l2", adam, l2: 0.3),
    UpdateCase("adam clip norm", adam, clipNorm: 1.5),
    UpdateCase("adamw", adam, decay: 0.6),
    UpdateCase("lars", lars),
    UpdateCase("lars l2", lars, l2: 0.3),
    UpdateCase("lars decay", lars, decay: 0.6),
    UpdateCase("lars clip norm", lars, decay: 0.6, clipNorm: 1.5),
    UpdateCase("lars clip value", lars, decay: 0.6, clipValue: 0.9),
    UpdateCase("lamb", lamb),
    UpdateCase("lamb l2", lamb, l2: 0.3),
    UpdateCase("lamb decay", lamb, decay: 0.6),
    UpdateCase("lamb clip norm", lamb, decay: 0.6, clipNorm: 1.5),
  ]

  @Test("five steps end at PyTorch's weights, in Double", arguments: cases)
  func inDouble(_ item: UpdateCase) throws {
    try expectGolden(item, Double.self, tolerance: 1e-14)
  }

  // 5 steps of about 10 roundings of 2^-24, on weights up to 2.5.
  @Test("five steps end at PyTorch's weights, in Float", arguments: cases)
  func inFloat(_ item: UpdateCase) throws {
    try expectGolden(item, Float.self, tolerance: 2e-6)
  }

  @Test("every golden update has a case, and no two agree")
  func complete() {
    #expect(Set(goldenUpdates.keys) == Set(Self.cases.map(\.name)))
    #expect(Set(goldenUpdates.values).count == goldenUpdates.count)
  }

  private func expectGolden<S: Scalar>(_ item: UpdateCase, _: S.Type, tolerance: Double) throws {
    let expected = try #require(goldenUpdates[item.name])
    let found: [S] = fiveSteps(item)
    for (index, pair) in zip(found, expected).enumerated() {
      let error = abs(Double(pair.0) - pair.1)
      #expect(error < tolerance, "\(item.name), weight \(index): \(pair.0), not \(pair.1)")
    }
  }

  /// The gradient of step t is `0.8 w_i + 2 sin(1.3 t + 0.7 i)`, the rate `0.05 / t`.
  private func fiveSteps<S: Scalar>(_ item: UpdateCase) -> [S] {
    let weights = AlignedMemory<S>(count: 7)
    weights.block.copy(from: [0.5, -0.3, 0.8, 0.0, -1.2, 2.5, -0.01])
    let gradient = AlignedMemory<S>(count: 7)
    let optimizer = Optimizer<S>(
      spec: item.spec,
      segments: [ParameterSegment(name: "w", kind: .weight, offset: 0, count: 7)],
      parameterCount: 7)
    for step in 1...5 {
      let slopes = (0..<7).map {
        0.8 * Double(weights.block[$0]) + 2 * sin(1.3 * Double(step) + 0.7 * Double($0))
      }
      gradient.block.copy(from: slopes.map { S($0) })
      let norm = slopes.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let scale = item.clipNorm.map { clipScale(norm: norm, limit: $0) } ?? 1
      optimizer.prepare(
        0..<7, weights: weights.block, gradient: gradient.block, step: step,
        gradientScale: scale, clipValue: item.clipValue)
      optimizer.combineNorms(step: step)
      optimizer.update(
        0..<7, weights: weights.block, gradient: gradient.block, step: step,
        learningRate: item.spec.learningRate / Double(step), gradientScale: scale,
        clipValue: item.clipValue)
    }
    return weights.block.array
  }
}
