import Graph

/// A convolution's geometry with everything decided that does not depend on the number of images.
///
/// Built once per layer; the kernels only follow it.
package struct ConvolutionPlan: Equatable, Sendable {
  package let geometry: ConvolutionGeometry
  let forward: SlidingPlan
  let inputGradient: SlidingPlan

  /// A window of one pixel that visits every pixel: a product of all pixels with one matrix.
  let isMatrixProduct: Bool

  /// By tiles; nil: directly.
  let forwardTiles: WinogradPlan?
  let inputGradientTiles: WinogradPlan?
  let weightGradientTiles: WinogradPlan?

  /// For few channels; nil: not worth it.
  let forwardLines: LinePlan?
  let inputGradientLines: LinePlan?
  let weightGradientWindows: OutputWindowPlan?

  package init(_ geometry: ConvolutionGeometry) {
    self.geometry = geometry
    let choice = WinogradChoice(geometry)
    forwardTiles = choice.forward.map { WinogradPlan(forward: geometry, outputs: $0) }
    inputGradientTiles = choice.inputGradient.map {
      WinogradPlan(inputGradient: geometry, outputs: $0)
    }
    weightGradientTiles = choice.weightGradient.map {
      WinogradPlan(forward: geometry, outputs: $0)
    }
    forward = SlidingPlan(forward: geometry)
    inputGradient = SlidingPlan(inputGradient: geometry)
    isMatrixProduct =
      geometry.groups == 1
      && [geometry.vertical, geometry.horizontal].allSatisfy {
        $0.kernel == 1 && $0.stride == 1 && $0.padBefore == 0 && $0.padAfter == 0
      }
    let few = FewChannelChoice(geometry, forward: forward, inputGradient: inputGradient)
    forwardLines = few.forward
    inputGradientLines = few.inputGradient
    weightGradientWindows = few.weightGradient
  }

  /// How the three products are computed: `direct` if all are; or of each `direct`, the size of its tiles,
  /// or how targets of few channels are taken together: `groups of 2`, `folded`, `windows`.
  package var description: String {
    let tiles = [forwardTiles, inputGradientTiles, weightGradientTiles].map {
      $0.map { "\($0.outputs)x\($0.outputs)" }
    }
    let few = [
      forwardLines?.description, inputGradientLines?.description,
      weightGradientWindows.map { _ in "windows" },
    ]
    let names = zip(tiles, few).map { $0 ?? $1 ?? "direct" }
    if names.allSatisfy({ $0 == "direct" }) { return "direct" }
    let algorithm = tiles.contains { $0 != nil } ? "winograd " : ""
    return "\(algorithm)\(names[0]), by data \(names[1]), by weights \(names[2])"
  }

  /// Multiply-adds per image whose tap lies inside the image: what the kernels really compute.
  package var multiplyAddCount: Int {
    let pixels = forward.classes[0].rectangles.reduce(0) {
      $0 + $1.tapCount * $1.vertical.targets.count * $1.horizontal.targets.count
    }
    return pixels * geometry.inputChannelsPerGroup * geometry.outputChannels
  }
}
