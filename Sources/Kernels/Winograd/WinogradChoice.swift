import Graph

/// Outputs per side of the tiles of each of a convolution's three products; nil: not by tiles.
struct WinogradChoice: Equatable, Sendable {
  var forward: Int?
  var inputGradient: Int?
  var weightGradient: Int?

  init(_ geometry: ConvolutionGeometry) {
    guard geometry.algorithm == .winograd, WinogradPlan.isPossible(geometry) else { return }
    (forward, inputGradient, weightGradient) = (4, 4, 4)
  }
}
