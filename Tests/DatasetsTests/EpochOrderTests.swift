import Datasets
import Testing

@Suite("The order of samples in an epoch")
struct EpochOrderTests {
  @Test("it is a permutation", arguments: [1, 2, 3, 4, 5, 10, 16, 17, 257, 4096, 60_000])
  func bijection(count: Int) {
    let order = EpochOrder(count: count, seed: 3, epoch: 5)
    #expect((0..<count).map { order.sample(at: $0) }.sorted() == Array(0..<count))
  }

  @Test("epochs and seeds have orders of their own")
  func differs() {
    let orders = [(1, 0), (1, 1), (2, 0)].map { seed, epoch in
      let order = EpochOrder(count: 1000, seed: UInt64(seed), epoch: epoch)
      return (0..<1000).map { order.sample(at: $0) }
    }
    for (first, second) in [(0, 1), (0, 2), (1, 2)] {
      let same = zip(orders[first], orders[second]).count { $0 == $1 }
      // Random permutations agree in 1 place on average; 10 or more has a chance below 1e-6.
      #expect(same < 10)
    }
  }

  @Test("places and neighbours are not correlated", arguments: [1000, 4097, 60_000])
  func random(count: Int) {
    let order = EpochOrder(count: count, seed: 9, epoch: 0)
    let samples = (0..<count).map { Double(order.sample(at: $0)) }
    let mean = Double(count - 1) / 2
    let variance = (Double(count) * Double(count) - 1) / 12
    func correlation(_ pairs: [(Double, Double)]) -> Double {
      pairs.reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } / variance / Double(pairs.count)
    }
    // The correlation of a random permutation has deviation 1 / sqrt(count); five of them.
    let limit = 5 / Double(count).squareRoot()
    #expect(abs(correlation(samples.enumerated().map { (Double($0), $1) })) < limit)
    #expect(abs(correlation(Array(zip(samples, samples.dropFirst())))) < limit)
    #expect(abs(correlation(Array(zip(samples, samples.dropFirst(8))))) < limit)
  }

  @Test("every sample is about as often first as any other")
  func uniform() {
    var counts = [Int](repeating: 0, count: 10)
    for epoch in 0..<10_000 {
      counts[EpochOrder(count: 10, seed: 1, epoch: epoch).sample(at: 3)] += 1
    }
    // Binomial(10000, 0.1): deviation 30; five of them.
    for count in counts { #expect(abs(count - 1000) < 150, "\(counts)") }
  }

  @Test("it never changes, so that old checkpoints go on exactly")
  func golden() {
    let order = EpochOrder(count: 60_000, seed: 1, epoch: 2)
    #expect(
      [0, 1, 2, 30_000, 59_999].map { order.sample(at: $0) } == [57324, 59840, 49151, 26009, 44823])
    let small = EpochOrder(count: 10, seed: 1, epoch: 0)
    #expect((0..<10).map { small.sample(at: $0) } == [2, 1, 3, 5, 6, 7, 4, 9, 0, 8])
  }
}
