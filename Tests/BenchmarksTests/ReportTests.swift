import Benchmarks
import Foundation
import Testing

@Suite("Reports of benchmarks")
struct ReportTests {
  private let limits = MachineLimits(
    operationsPerSecond: 100e9, copySpeeds: [.init(byteCount: 1 << 20, bytesPerSecond: 10e9)])

  @Test("an instruction stands beside its floor, and the total adds floors up")
  func instructions() {
    let product = InstructionRow(
      InstructionWork(name: "dense", operations: 50e6, byteCount: 1000), seconds: 1e-3,
      limits: limits)
    #expect(product.peakFraction == 0.5 && product.floorSeconds == 0.5e-3)
    let copy = InstructionRow(
      InstructionWork(name: "relu", byteCount: 1_000_000), seconds: 1e-3, limits: limits)
    #expect(abs(copy.bandwidthFraction - 0.1) < 1e-12 && copy.floorSeconds == 1e-4)
    let total = InstructionRow(totalOf: [product, copy])
    #expect(abs(total.seconds - 2e-3) < 1e-12 && abs(total.floorSeconds - 0.6e-3) < 1e-12)
    #expect(abs(total.peakFraction - 0.25) < 1e-12)
    #expect(total.cells == ["total", "2000.0", "50.00", "1001.0", "25%", "5%", "600.0", "30%"])
  }

  @Test("the table has a line per row under what was measured, and numbers to the right")
  func table() {
    let report = BenchmarkReport(
      "start", of: "a test", limits: limits,
      rows: [StartRow(config: "mlp", launcher: "", rounds: [0.3, 0.1, 0.25])])
    #expect(report.lines.first == "start: a test")
    #expect(
      report.lines.suffix(2) == [
        "config  launcher  seconds  fastest  slowest",
        "mlp                 0.250    0.100    0.300",
      ])
  }

  @Test("the JSON holds the same figures under names in snake_case")
  func json() throws {
    let row = StepRow(
      config: "mlp", ranks: 2, batch: 128, rates: [900, 1000, 1200], operationsPerSample: 1e6,
      peakByteCount: 12, limits: limits)
    let text = BenchmarkReport("steps", of: "2 ranks", limits: limits, rows: [row]).json
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(object?["benchmark"] as? String == "steps")
    let found = (object?["rows"] as? [[String: Any]])?.first
    #expect(found?["samples_per_second"] as? Double == 1000)
    #expect(found?["fastest_samples_per_second"] as? Double == 1200)
    #expect(found?["step_seconds"] as? Double == 0.128)
    #expect(found?["peak_fraction"] as? Double == 0.005)
    let machine = object?["limits"] as? [String: Any]
    #expect(machine?["operations_per_second"] as? Double == 100e9)
  }

  @Test(
    "the median is the middle", arguments: [[3.0, 1, 2], [4, 1, 2, 0], []])
  func median(values: [Double]) {
    let expected: [Int: Double] = [3: 2, 4: 1.5, 0: 0]
    #expect(values.median == expected[values.count])
  }
}
