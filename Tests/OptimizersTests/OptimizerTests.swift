import CAllocationCount
import Graph
import Kernels
import Optimizers
import Storage
import Testing

@Suite("The optimizer over a parameter buffer")
struct OptimizerTests {
  static let rules: [UpdateRule] = [
    .sgd, .exponentialMomentum(beta: 0.9), .momentum(beta: 0.9, nesterov: false),
    .momentum(beta: 0.9, nesterov: true), .rmsprop(beta: 0.9, epsilon: 1e-8),
    .adagrad(epsilon: 1e-10), .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8),
  ]

  /// Two layers with a gap of padding between them.
  private static let segments = [
    ParameterSegment(name: "layers.0.weight", kind: .weight, offset: 0, count: 20),
    ParameterSegment(name: "layers.0.bias", kind: .bias, offset: 20, count: 5),
    ParameterSegment(name: "layers.1.weight", kind: .weight, offset: 32, count: 10),
    ParameterSegment(name: "layers.1.scale", kind: .normScale, offset: 42, count: 3),
  ]
  private static let count = 48

  private func block(_ value: (Int) -> Float) -> AlignedMemory<Float> {
    let memory = AlignedMemory<Float>(count: Self.count)
    for index in 0..<Self.count { memory.block[index] = value(index) }
    return memory
  }

  private func spec(_ rule: UpdateRule) -> OptimizerSpec {
    var spec = OptimizerSpec(rule: rule, learningRate: 0.1)
    spec.weightDecay = 0.1
    spec.l2 = 0.01
    return spec
  }

  @Test("buckets in any cut and order give the bits of one pass", arguments: rules)
  func buckets(rule: UpdateRule) {
    let gradient = block { Float($0 % 7) - 3.25 }
    let (whole, cut) = (block { Float($0) / 10 - 2 }, block { Float($0) / 10 - 2 })
    let first = Optimizer<Float>(
      spec: spec(rule), segments: Self.segments, parameterCount: Self.count)
    let second = Optimizer<Float>(
      spec: spec(rule), segments: Self.segments, parameterCount: Self.count)
    for step in 1...3 {
      first.update(
        0..<48, weights: whole.block, gradient: gradient.block, step: step, learningRate: 0.1)
      for range in [25..<48, 0..<13, 13..<25] {
        second.update(
          range, weights: cut.block[range], gradient: gradient.block[range], step: step,
          learningRate: 0.1)
      }
    }
    #expect(whole.block.array == cut.block.array)
    for slot in first.slotNames.indices {
      #expect(first.slot(slot).array == second.slot(slot).array)
    }
  }

  @Test("padding between parameters is never touched", arguments: rules)
  func padding(rule: UpdateRule) {
    let (weights, gradient) = (block { _ in 1 }, block { _ in 2 })
    let optimizer = Optimizer<Float>(
      spec: spec(rule), segments: Self.segments, parameterCount: Self.count)
    optimizer.update(
      0..<48, weights: weights.block, gradient: gradient.block, step: 1, learningRate: 0.1)
    let touched = Set((0..<25)).union(32..<45)
    for index in 0..<48 { #expect((weights.block[index] != 1) == touched.contains(index)) }
  }

  @Test("each parameter moves by its own constants")
  func ownConstants() {
    var spec = OptimizerSpec(rule: .sgd, learningRate: 0.5)
    spec.weightDecay = 0.5
    var frozen = ParameterGroupSpec(match: "layers.1.scale")
    frozen.learningRateFactor = 0
    var slow = ParameterGroupSpec(match: "layers.1.weight")
    slow.learningRateFactor = 0.5
    slow.weightDecay = 0
    spec.groups = [frozen, slow]
    let (weights, gradient) = (block { _ in 2 }, block { _ in 1 })
    let optimizer = Optimizer<Float>(
      spec: spec, segments: Self.segments, parameterCount: Self.count)
    optimizer.update(
      0..<48, weights: weights.block, gradient: gradient.block, step: 1, learningRate: 0.5)
    #expect(weights.block[0] == 2 - 0.5 - 0.5 * 0.5 * 2)
    #expect(weights.block[20] == 2 - 0.5)
    #expect(weights.block[32] == 2 - 0.25)
    #expect(weights.block[42] == 2)
  }

  @Test("scale and value limit reach the gradient, scale first")
  func clipping() {
    let weights = block { _ in 0 }
    let optimizer = Optimizer<Float>(
      spec: OptimizerSpec(rule: .sgd, learningRate: 1), segments: Self.segments,
      parameterCount: Self.count)
    let gradient = block { [1, -1, 4, -4][$0 % 4] }
    optimizer.update(
      0..<48, weights: weights.block, gradient: gradient.block, step: 1, learningRate: 1,
      gradientScale: 0.5, clipValue: 0.75)
    #expect(Array(weights.block.array[..<4]) == [-0.5, 0.5, -0.75, 0.75])
  }

  @Test("the slots are all the state there is", arguments: rules)
  func resume(rule: UpdateRule) {
    let gradient = block { Float($0 % 5) - 1.5 }
    let (straight, resumed) = (block { Float($0) / 9 - 2 }, block { Float($0) / 9 - 2 })
    let whole = optimizer(rule, steps: 1...4, straight, gradient)
    let before = optimizer(rule, steps: 1...2, resumed, gradient)
    let after = Optimizer<Float>(
      spec: spec(rule), segments: Self.segments, parameterCount: Self.count)
    #expect(after.slotNames.count == rule.slotCount)
    for slot in 0..<rule.slotCount { after.slot(slot).copy(from: before.slot(slot)) }
    for step in 3...4 {
      after.update(
        0..<48, weights: resumed.block, gradient: gradient.block, step: step, learningRate: 0.1)
    }
    #expect(straight.block.array == resumed.block.array)
    for slot in 0..<rule.slotCount { #expect(after.slot(slot).array == whole.slot(slot).array) }
  }

  private func optimizer(
    _ rule: UpdateRule, steps: ClosedRange<Int>, _ weights: AlignedMemory<Float>,
    _ gradient: AlignedMemory<Float>
  ) -> Optimizer<Float> {
    let optimizer = Optimizer<Float>(
      spec: spec(rule), segments: Self.segments, parameterCount: Self.count)
    for step in steps {
      optimizer.update(
        0..<48, weights: weights.block, gradient: gradient.block, step: step, learningRate: 0.1)
    }
    return optimizer
  }

  @Test("slots keep their names in checkpoints")
  func slotNames() {
    #expect(
      Self.rules.map(\.slotNames) == [
        [], ["momentum"], ["momentum"], ["momentum"], ["square_average"], ["square_sum"],
        ["adam_m", "adam_v"],
      ])
  }

  @Test("the penalty counts weights with their own constants")
  func penalty() {
    var spec = OptimizerSpec(rule: .sgd, learningRate: 1)
    spec.l2 = 0.5
    spec.l1 = 0.25
    var exception = ParameterGroupSpec(match: "layers.1.weight")
    exception.l2 = 2
    spec.groups = [exception]
    let optimizer = Optimizer<Float>(
      spec: spec, segments: Self.segments, parameterCount: Self.count)
    let weights = block { _ in -3 }
    let found = optimizer.penalty(weights: weights.block)
    #expect(found == 20 * (0.25 * 9 + 0.25 * 3) + 10 * (9 + 0.25 * 3))
  }

  @Test("the penalty's gradient is what an update adds by itself")
  func penaltyGradient() {
    var penalised = OptimizerSpec(rule: .sgd, learningRate: 1)
    penalised.l2 = 0.5
    penalised.l1 = 0.25
    let free = OptimizerSpec(rule: .sgd, learningRate: 1)
    let (inside, outside) = (block { Float($0 % 5) - 2 }, block { Float($0 % 5) - 2 })
    let (gradient, sum) = (block { Float($0 % 3) }, block { Float($0 % 3) })
    let first = Optimizer<Float>(
      spec: penalised, segments: Self.segments, parameterCount: Self.count)
    let second = Optimizer<Float>(spec: free, segments: Self.segments, parameterCount: Self.count)
    first.update(
      0..<48, weights: inside.block, gradient: gradient.block, step: 1, learningRate: 1)
    first.addPenaltyGradient(weights: outside.block, into: sum.block)
    second.update(0..<48, weights: outside.block, gradient: sum.block, step: 1, learningRate: 1)
    #expect(inside.block.array == outside.block.array)
  }

  @Test("an update allocates nothing", arguments: rules)
  func allocations(rule: UpdateRule) {
    let (weights, gradient) = (block { Float($0) / 10 - 2 }, block { Float($0 % 7) - 3.25 })
    let optimizer = Optimizer<Float>(
      spec: spec(rule), segments: Self.segments, parameterCount: Self.count)
    let average = ExponentialMovingAverage<Float>(decay: 0.9, parameterCount: Self.count)
    func step(_ step: Int) {
      optimizer.update(
        0..<48, weights: weights.block, gradient: gradient.block, step: step, learningRate: 0.1,
        gradientScale: 0.5, clipValue: 1)
      average.update(0..<48, weights: weights.block, step: step)
    }
    step(1)
    let before = allocation_count_of_thread()
    for number in 2...5 { step(number) }
    #expect(allocation_count_of_thread() == before)
  }

  @Test("without penalties the penalty is zero")
  func noPenalty() {
    let optimizer = Optimizer<Float>(
      spec: OptimizerSpec(rule: .sgd, learningRate: 1), segments: Self.segments,
      parameterCount: Self.count)
    let weights = block { _ in 5 }
    #expect(optimizer.penalty(weights: weights.block) == 0)
  }

  @Test("exponential momentum is the courses' form, not PyTorch's")
  func exponentialMomentum() {
    let (weights, gradient) = (block { _ in 0 }, block { _ in 1 })
    let optimizer = Optimizer<Float>(
      spec: OptimizerSpec(rule: .exponentialMomentum(beta: 0.75), learningRate: 1),
      segments: Self.segments, parameterCount: Self.count)
    for step in 1...2 {
      optimizer.update(
        0..<48, weights: weights.block, gradient: gradient.block, step: step,
        learningRate: 1)
    }
    #expect(optimizer.slot(0)[0] == 0.4375)
    #expect(weights.block[0] == -(0.25 + 0.4375))
  }
}
