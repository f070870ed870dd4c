import Kernels
import Randomness
import Storage
import Testing

@Suite("Averages and penalties of weights")
struct UpdateAverageTests {
  @Test("the average moves by its share of the difference", arguments: [0, 1, 3, 17, 1000])
  func average(count: Int) {
    let weights = filled(count, "weights")
    let average = filled(count, "average")
    let expected = zip(average.block.array, weights.block.array).map {
      0.875 * Double($0) + 0.125 * Double($1)
    }
    exponentialAverage(weights: weights.block, decay: 0.875, into: average.block)
    for (index, value) in average.block.array.enumerated() {
      #expect(abs(Double(value) - expected[index]) < 2e-7, "element \(index) of \(count)")
    }
  }

  @Test("an average that equals the weights stays where it is")
  func fixedPoint() {
    let weights = filled(33, "weights")
    let average = filled(33, "weights")
    exponentialAverage(weights: weights.block, decay: 0.999, into: average.block)
    #expect(average.block.array == weights.block.array)
  }

  @Test("the penalty is half the squares and the magnitudes", arguments: [0, 1, 3, 17, 1000])
  func penalty(count: Int) {
    let memory = filled(count, "weights")
    let weights = memory.block.array
    let squares = weights.reduce(0.0) { $0 + Double($1) * Double($1) }
    let magnitudes = weights.reduce(0.0) { $0 + abs(Double($1)) }
    let found = weightPenalty(memory.block, l2: 0.3, l1: 0.02)
    #expect(abs(found - (0.15 * squares + 0.02 * magnitudes)) <= 1e-12 * Double(max(1, count)))
  }

  private func filled(_ count: Int, _ purpose: String) -> AlignedMemory<Float> {
    let memory = AlignedMemory<Float>(count: count)
    var random = RandomNumbers(seed: 2, purpose: purpose)
    for index in 0..<count { memory.block[index] = Float(random.uniform() * 2 - 1) }
    return memory
  }
}
