import Graph
import Kernels
import Testing

/// Which layers are computed several targets at a time.
@Suite struct LinearFewChannelTests {
  struct Layer: CustomTestStringConvertible, Sendable {
    var size: Int
    var kernel: Int
    var padding = 0
    var stride = 1
    var channels: (Int, Int)
    var groups = 1
    var algorithm: String

    var testDescription: String { "\(kernel)x\(kernel) \(channels) @\(size)" }

    var geometry: ConvolutionGeometry {
      let axis = WindowAxis(
        input: size, kernel: kernel, stride: stride, padBefore: padding, padAfter: padding)
      return ConvolutionGeometry(
        vertical: axis, horizontal: axis, inputChannels: channels.0, outputChannels: channels.1,
        groups: groups, algorithm: .direct)
    }
  }

  @Test(
    "the geometry decides which targets are taken together",
    arguments: [
      Layer(
        size: 28, kernel: 5, padding: 2, channels: (1, 6),
        algorithm: "groups of 5, by data folded, by weights windows"),
      Layer(
        size: 14, kernel: 5, channels: (6, 16),
        algorithm: "direct, by data folded, by weights direct"),
      Layer(size: 14, kernel: 3, padding: 1, channels: (32, 64), algorithm: "direct"),
      Layer(size: 28, kernel: 1, channels: (4, 4), algorithm: "direct"),
      Layer(size: 28, kernel: 3, padding: 1, channels: (8, 8), groups: 8, algorithm: "direct"),
      Layer(
        size: 28, kernel: 3, padding: 1, stride: 2, channels: (32, 64), algorithm: "direct"),
    ])
  func choice(layer: Layer) {
    #expect(ConvolutionPlan(layer.geometry).description == layer.algorithm)
  }

  @Test("the cases against plain loops meet every way of taking targets together")
  func coverage() {
    let plans = ConvolutionCase.all.map { ConvolutionPlan($0.geometry).description }
    for part in [
      "groups of", "folded, by data", "by data groups of", "by data folded", "by weights windows",
    ] {
      #expect(plans.contains { $0.contains(part) }, "\(part) in none of \(plans)")
    }
  }
}
