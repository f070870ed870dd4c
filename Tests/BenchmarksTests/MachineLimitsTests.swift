import Benchmarks
import Testing

@Suite("Limits of a machine")
struct MachineLimitsTests {
  private let limits = MachineLimits(
    operationsPerSecond: 100e9,
    copySpeeds: [
      .init(byteCount: 1 << 15, bytesPerSecond: 50e9),
      .init(byteCount: 1 << 20, bytesPerSecond: 10e9),
    ])

  @Test(
    "data move at the speed of the smallest copy that is not smaller, beyond the largest at its",
    arguments: [(1, 50e9), (1 << 15, 50e9), (1 << 15 + 1, 10e9), (1 << 30, 10e9)])
  func bandwidth(byteCount: Int, expected: Double) {
    #expect(limits.bytesPerSecond(forBytes: byteCount) == expected)
  }

  @Test("the floor of work is the later end of arithmetic and memory")
  func floor() {
    let arithmetic = InstructionWork(name: "a", operations: 100e6, byteCount: 1000)
    #expect(limits.floorSeconds(arithmetic) == 1e-3)
    let memory = InstructionWork(name: "m", operations: 10, byteCount: 1_000_000)
    #expect(limits.floorSeconds(memory) == 1e-4)
    let unmeasured = MachineLimits(operationsPerSecond: 1e9, copySpeeds: [])
    #expect(unmeasured.floorSeconds(memory) == 1e-8)
  }

  @Test("the line names peak and copies")
  func line() {
    #expect(
      limits.line.hasSuffix(
        ", one core: 100.0 GFLOP/s; copies 50 GB/s at 32.8 kB, 10 GB/s at 1.05 MB"),
      "\(limits.line)")
  }
}
