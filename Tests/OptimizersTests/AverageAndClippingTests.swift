import Optimizers
import Storage
import Testing

@Suite("Gradient clipping")
struct GradientClippingTests {
  @Test("a norm within the limit is left alone", arguments: [0.0, 0.5, 0.999])
  func within(norm: Double) {
    #expect(clipScale(norm: norm, limit: 1) == 1)
  }

  @Test("a larger norm is brought down to the limit", arguments: [1.5, 40, 1e12])
  func beyond(norm: Double) {
    #expect(abs(clipScale(norm: norm, limit: 1) * norm - 1) < 1e-6)
  }
}

@Suite("Moving average of the weights")
struct ExponentialMovingAverageTests {
  @Test(
    "the decay grows to its limit", arguments: [(1, 2.0 / 11), (2, 0.25), (80, 0.9), (81, 0.9)])
  func decay(step: Int, expected: Double) {
    let average = ExponentialMovingAverage<Double>(decay: 0.9, parameterCount: 1)
    #expect(average.decay(atStep: step) == expected)
  }

  @Test("the average starts at the first weights and follows them")
  func follows() {
    let weights = AlignedMemory<Double>(count: 3)
    weights.block.fill(1)
    let average = ExponentialMovingAverage<Double>(decay: 0.9, parameterCount: 3)
    average.start(from: weights.block)
    #expect(average.average.array == [1, 1, 1])
    weights.block.fill(2)
    average.update(0..<3, weights: weights.block, step: 2)
    #expect(average.average.array == [1.75, 1.75, 1.75])
  }

  @Test("only the stretch that is given moves")
  func stretches() {
    let weights = AlignedMemory<Float>(count: 4)
    weights.block.fill(4)
    let average = ExponentialMovingAverage<Float>(decay: 0.25, parameterCount: 4)
    average.update(1..<3, weights: weights.block[1..<3], step: 100)
    #expect(average.average.array == [0, 3, 3, 0])
  }
}
