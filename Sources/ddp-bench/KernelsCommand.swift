import ArgumentParser
import Benchmarks
import Graph
import Kernels

/// The number type of a measurement.
enum ScalarChoice: String, CaseIterable, ExpressibleByArgument {
  case float32
  case float64
}

extension ConvolutionAlgorithm: ExpressibleByArgument {
  fileprivate static var list: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

struct KernelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "GFLOP/s of products and convolutions beside the multiply-add peak of one core.",
    discussion: """
      Counts two operations per multiply-add; of a convolution only taps inside the image count, so \
      padding earns nothing. Each figure is the best of many short runs on one thread.
      """)

  @Option(help: "Measure only the lines whose name contains this text.")
  var filter: String?

  @Option(help: "Seconds spent on each figure.")
  var seconds: Double = 0.2

  @Option(help: "The number type.")
  var scalar: ScalarChoice = .float32

  @Option(help: "How convolutions are computed: \(ConvolutionAlgorithm.list).")
  var algorithm: ConvolutionAlgorithm = .auto

  @OptionGroup var report: ReportOptions

  func validate() throws {
    guard seconds > 0 else {
      throw ValidationError("--seconds \(seconds) is not above 0; leave it out for 0.2")
    }
  }

  func run() throws {
    switch scalar {
    case .float32: try measure(Float.self)
    case .float64: try measure(Double.self)
    }
  }

  private func measure<S: Scalar>(_ type: S.Type) throws {
    let stopwatch = Stopwatch(seconds: seconds)
    let limits = MachineLimits(
      operationsPerSecond: stopwatch.peak(of: type) * 1e9, copySpeeds: [])
    func row(_ name: String, _ speeds: Speeds) -> KernelRow {
      KernelRow(
        name: name, forward: speeds.forward * 1e9, byData: speeds.byData * 1e9,
        byWeights: speeds.byWeights * 1e9, operationsPerSecond: limits.operationsPerSecond)
    }
    let products = ProductCase.all.filter { matches($0.name) }
      .map { row($0.name, $0.measure(type, stopwatch)) }
    let convolutions = ConvolutionCase.all.filter { matches($0.name) }
      .map { row($0.name, $0.measure(type, algorithm, stopwatch)) }
    try report.publish(
      BenchmarkReport(
        "kernels", of: "\(scalar.rawValue), convolutions \(algorithm.rawValue)", limits: limits,
        rows: products + convolutions))
  }

  private func matches(_ name: String) -> Bool {
    filter.map { name.contains($0) } ?? true
  }
}
