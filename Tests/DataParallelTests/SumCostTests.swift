import DataParallel
import Testing

@Suite("Cost of sums")
struct SumCostTests {
  @Test(
    "buckets are large enough for the latency and small enough to overlap",
    arguments: [
      // Shared memory: 2 us and 30 GB/s; a gradient of 400 KB, of 100 MB.
      (2e-6, 3.3e-11, 400_000, 100_000), (2e-6, 3.3e-11, 100_000_000, 606_060),
      // Gigabit with 1 ms: a quarter of a small gradient would be all latency.
      (2e-3, 8e-9, 400_000, 250_000), (2e-3, 8e-9, 100_000_000, 2_500_000),
      // Never tiny, never huge.
      (0, 1e-10, 1_000_000_000, 65_536), (1, 1e-10, 1_000_000_000, 16_777_216),
    ])
  func bucketBytes(latency: Double, perByte: Double, gradient: Int, expected: Int) {
    let cost = SumCost(latency: latency, secondsPerByte: perByte)
    #expect(abs(cost.bucketBytes(gradientBytes: gradient) - expected) <= 1)
  }

  @Test("two measurements give a line, also when noise turns it over")
  func line() {
    let cost = SumCost(small: (1_000, 3e-6), large: (101_000, 13e-6))
    #expect(abs(cost.secondsPerByte - 1e-10) < 1e-16)
    #expect(abs(cost.latency - 2.9e-6) < 1e-12)
    let noise = SumCost(small: (1_000, 5e-6), large: (101_000, 4e-6))
    #expect(noise.secondsPerByte > 0 && noise.latency >= 0)
  }

  @Test("a measurement gives every rank the same figures")
  func measured() throws {
    let costs = try ThreadedRank.run(ranks: 3) { try SumCost.measured(over: $0) }
    #expect(costs.allSatisfy { $0 == costs[0] })
  }
}
