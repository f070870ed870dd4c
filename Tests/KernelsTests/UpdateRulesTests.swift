import Kernels
import Randomness
import Storage
import Testing

@Suite("Update rules")
struct UpdateRulesTests {
  static let counts = [0, 1, 3, 17, 1000]
  static let steps = 4

  @Test("every rule equals its textbook loop in Double", arguments: ReferenceRule.allCases, counts)
  func doubleReference(rule: ReferenceRule, count: Int) {
    expectReference(rule, count, Double.self, tolerance: 1e-13)
  }

  // 4 steps of about 8 roundings of 2^-24 each, on weights of magnitude 1.
  @Test("every rule equals its textbook loop in Float", arguments: ReferenceRule.allCases, counts)
  func floatReference(rule: ReferenceRule, count: Int) {
    expectReference(rule, count, Float.self, tolerance: 4e-6)
  }

  @Test("a weight gets the same bits wherever a block is cut", arguments: ReferenceRule.allCases)
  func cuts(rule: ReferenceRule) {
    let whole = Run<Float>(count: 101)
    let cut = Run<Float>(count: 101)
    let borders = [0, 1, 6, 29, 30, 63, 101]
    for step in 1...Self.steps {
      whole.update(rule, step: step, 0..<101)
      for (low, high) in zip(borders, borders.dropFirst()) {
        cut.update(rule, step: step, low..<high)
      }
    }
    #expect(whole.weights.block.array == cut.weights.block.array)
    #expect(whole.slot0.block.array == cut.slot0.block.array)
    #expect(whole.slot1.block.array == cut.slot1.block.array)
  }

  @Test("nothing beyond the block is written", arguments: ReferenceRule.allCases)
  func bounds(rule: ReferenceRule) {
    let run = Run<Float>(count: 40)
    let (before, slots) = (run.weights.block.array, run.slot0.block.array)
    run.update(rule, step: 1, 5..<22)
    let after = run.weights.block.array
    #expect(after[..<5] == before[..<5] && after[22...] == before[22...])
    #expect(run.slot0.block.array[22...] == slots[22...])
    #expect(zip(after[5..<22], before[5..<22]).allSatisfy { $0 != $1 })
  }

  @Test("terms that ask for nothing change nothing")
  func neutralTerms() {
    let run = Run<Double>(count: 9)
    let (w, g) = (run.weights.block.array, run.gradient.block.array)
    updateByGradient(
      weights: run.weights.block, gradient: run.gradient.block,
      terms: UpdateTerms(learningRate: 0.25))
    #expect(run.weights.block.array == zip(w, g).map { $0 - 0.25 * $1 })
  }

  @Test("L1 leaves a weight at zero alone")
  func l1AtZero() {
    let weights = AlignedMemory<Float>(count: 3)
    weights.block.copy(from: [0, 2, -2])
    let gradient = AlignedMemory<Float>(count: 3)
    var terms = UpdateTerms(learningRate: 0.5)
    terms.l1 = 1
    updateByGradient(
      weights: weights.block, gradient: gradient.block, terms: terms)
    #expect(weights.block.array == [0, 1.5, -1.5])
  }

  @Test("Adam's corrections are 1 - beta^t", arguments: [1, 2, 7, 1000])
  func corrections(step: Int) {
    let constants = AdamConstants(beta1: 0.9, beta2: 0.999, epsilon: 1, step: step)
    let powers = (0..<step).reduce((1.0, 1.0)) { p, _ in (p.0 * 0.9, p.1 * 0.999) }
    #expect(abs(constants.meanCorrection - (1 - powers.0)) < 1e-13)
    #expect(abs(constants.squareCorrection - (1 - powers.1)) < 1e-13)
  }

  private func expectReference<S: Scalar>(
    _ rule: ReferenceRule, _ count: Int, _: S.Type, tolerance: Double
  ) {
    let run = Run<S>(count: count)
    var reference = run.weights.block.array.map { ReferenceWeight(w: Double($0)) }
    for step in 1...Self.steps {
      let gradient = run.gradient.block.array
      run.update(rule, step: step, 0..<count)
      for index in 0..<count {
        reference[index].update(rule, gradient: Double(gradient[index]), step: step, run.terms)
      }
    }
    for index in 0..<count {
      let error = abs(Double(run.weights.block[index]) - reference[index].w)
      #expect(error < tolerance, "\(rule), weight \(index) of \(count): off by \(error)")
      let slotError = abs(Double(run.slot0.block[index]) - reference[index].slot0)
      #expect(slotError < tolerance * 10, "\(rule), slot 0 of weight \(index): off by \(slotError)")
    }
  }
}

/// Weights in [-1, 1), gradients in [-2, 2), every term at work: about a third of the gradients are clipped.
private struct Run<S: Scalar> {
  let weights: AlignedMemory<S>
  let gradient: AlignedMemory<S>
  let slot0: AlignedMemory<S>
  let slot1: AlignedMemory<S>
  var terms = UpdateTerms(learningRate: 0.0625)

  init(count: Int) {
    weights = AlignedMemory(count: count)
    gradient = AlignedMemory(count: count)
    slot0 = AlignedMemory(count: count)
    slot1 = AlignedMemory(count: count)
    var random = RandomNumbers(seed: 1, purpose: "update rules")
    for index in 0..<count {
      weights.block[index] = S(random.uniform() * 2 - 1)
      gradient.block[index] = S(random.uniform() * 4 - 2)
    }
    terms.gradientScale = 0.75
    terms.clipValue = 1
    terms.l2 = 0.125
    terms.l1 = 0.0625
    terms.weightDecay = 0.25
  }

  func update(_ rule: ReferenceRule, step: Int, _ range: Range<Int>) {
    KernelsTests.update(
      rule, weights: weights.block[range], gradient: gradient.block[range],
      slot0: slot0.block[range], slot1: slot1.block[range], step: step, terms: terms)
  }
}
