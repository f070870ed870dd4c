import ArgumentParser
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

  func validate() throws {
    guard seconds > 0 else {
      throw ValidationError("--seconds \(seconds) is not above 0; leave it out for 0.2")
    }
  }

  func run() {
    switch scalar {
    case .float32: measure(Float.self)
    case .float64: measure(Double.self)
    }
  }

  private func measure<S: Scalar>(_ type: S.Type) {
    let stopwatch = Stopwatch(seconds: seconds)
    let peak = stopwatch.peak(of: type)
    print("\(InstructionSet.name), \(scalar.rawValue), one core: peak \(rounded(peak)) GFLOP/s")
    print(Table.heading)
    for product in ProductCase.all where matches(product.name) {
      print(Table.line(product.name, product.measure(type, stopwatch), peak: peak))
    }
    for convolution in ConvolutionCase.all where matches(convolution.name) {
      print(
        Table.line(convolution.name, convolution.measure(type, algorithm, stopwatch), peak: peak))
    }
  }

  private func matches(_ name: String) -> Bool {
    filter.map { name.contains($0) } ?? true
  }
}
