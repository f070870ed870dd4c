import Engine
import Graph
import Kernels
import Optimizers
import Storage
import Testing

@Suite("A training step")
struct StepEngineTests {
  @Test(
    "fused operations give the same bits as separate ones",
    arguments: [
      UpdateRule.adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8),
      .lamb(beta1: 0.9, beta2: 0.999, epsilon: 1e-6),
    ])
  func fusion(rule: UpdateRule) throws {
    let fused = try SmallStep(batch: 16, shards: 4, rule: rule)
    let plain = try SmallStep(batch: 16, shards: 4, rule: rule, fusion: false)
    let names = [fused, plain].map { $0.plan.graph.operations.map(\.kind.name) }
    #expect(names[0].contains("batch_norm_relu") && !names[1].contains("batch_norm_relu"))
    for step in 0..<3 {
      let results = try [fused, plain].map { try $0.take(step, of: 16) }
      #expect(results[0].loss == results[1].loss)
      #expect(results[0].gradientNorm == results[1].gradientNorm)
    }
    #expect(fused.bits == plain.bits)
  }

  @Test("micro-shards without samples add nothing, whatever the step before has left in them")
  func emptyShards() throws {
    let layers: [LayerKind] = [
      .flatten(.channelsLast), .dense(DenseSpec(units: 6)), .activation(.tanh),
      .dense(DenseSpec(units: 4)),
    ]
    let many = try SmallStep(layers, batch: 16, shards: 8)
    let one = try SmallStep(layers, batch: 16, shards: 1)
    for (step, count) in [16, 5, 1, 16].enumerated() {
      let results = try [many, one].map { try $0.take(step, of: count) }
      // Sums of at most 16 losses and 16 gradients, each of a few hundred terms.
      #expect(abs(results[0].loss - results[1].loss) < 1e-5 * results[1].loss, "step \(step)")
      #expect(results[0].accuracy == results[1].accuracy)
      let change = abs(results[0].gradientNorm - results[1].gradientNorm)
      #expect(change < 1e-4 * results[1].gradientNorm, "step \(step)")
    }
    let weights = [many, one].map { $0.model.parameters.array }
    let worst = zip(weights[0], weights[1]).map { abs($0 - $1) }.max() ?? 1
    #expect(worst < 1e-5, "\(worst)")
  }

  @Test("running statistics move towards the batch's by their momentum, shares counted by samples")
  func statistics() throws {
    let step = try SmallStep(
      [.batchNorm(BatchNormSpec()), .globalAveragePool], batch: 10, shards: 4)
    let before = step.model.statistic(0)[0]
    var means: [Double] = []
    for position in 0..<10 {
      means.append((0..<64).reduce(0) { $0 + 3 * wave(position * 64 + $1, 0.9) } / 64)
    }
    try step.take(0, of: 10)
    let mean = means.reduce(0, +) / 10
    let expected = Double(before) + 0.1 * (mean - Double(before))
    #expect(step.model.statisticList[0].name == "layers.0.running_mean")
    #expect(abs(Double(step.model.statistic(0)[0]) - expected) < 1e-6)
  }

  @Test("a gradient above the limit is scaled down to it")
  func clipping() throws {
    let free = try SmallStep(batch: 8, shards: 2)
    let norm = try free.take(0, of: 8).gradientNorm
    let start = try SmallStep(batch: 8, shards: 2)
    let clipped = try SmallStep(batch: 8, shards: 2, limits: GradientLimits(norm: norm / 4))
    #expect(try clipped.take(0, of: 8).gradientNorm == norm)
    for index in 0..<start.model.parameters.count {
      let whole = free.model.parameters[index] - start.model.parameters[index]
      let part = clipped.model.parameters[index] - start.model.parameters[index]
      // Differences of weights below 2: two rounding units of 1.2e-7.
      #expect(abs(part - whole / 4) < 3e-7, "element \(index)")
    }
  }

  @Test(
    "a step that is not finite updates nothing and is traced to the operation that went bad first")
  func notFinite() throws {
    let step = try SmallStep(batch: 8, shards: 4)
    try step.take(0, of: 8)
    let dense = try #require(step.model.parameterList.firstIndex { $0.name == "layers.6.weight" })
    step.model.parameter(dense)[3] = .infinity
    let before = step.bits
    let fault = #expect(throws: NotFinite.self) { try step.take(1, of: 8) }
    #expect(fault?.step == 1)
    #expect(step.bits == before)
    let first = try step.steps.firstNotFinite(step.batch(1, of: 8), load: step.load)
    #expect(first.map { step.plan.graph.operations[$0].layer } == "layers.6")
    #expect(first.map { step.plan.graph.operations[$0].kind.name } == "dense")
  }

  @Test("an input that is not a number is traced to the first layer")
  func notFiniteInput() throws {
    let step = try SmallStep(batch: 8, shards: 4)
    let load = { (positions: Range<Int>) in
      step.load(positions)
      if positions.contains(5) { step.steps.engine.input[0] = .nan }
    }
    #expect(throws: NotFinite.self) { try step.steps.run(step.batch(0, of: 8), load: load) }
    let first = try step.steps.firstNotFinite(step.batch(0, of: 8), load: load)
    #expect(first.map { step.plan.graph.operations[$0].layer } == "layers.0")
  }

  @Test("a finite step is traced to nothing")
  func finite() throws {
    let step = try SmallStep(batch: 8, shards: 4)
    #expect(try step.steps.firstNotFinite(step.batch(0, of: 8), load: step.load) == nil)
  }
}
