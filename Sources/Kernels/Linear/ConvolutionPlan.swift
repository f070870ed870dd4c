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

  /// By tiles, forward and by weights; nil: directly.
  let forwardTiles: WinogradPlan?
  let inputGradientTiles: WinogradPlan?

  /// For few channels; nil: not worth it.
  let forwardLines: LinePlan?
  let inputGradientLines: LinePlan?
  let weightGradientWindows: OutputWindowPlan?

  package init(_ geometry: ConvolutionGeometry) {
    self.geometry = geometry
    let byTiles = WinogradPlan.isUsed(for: geometry)
    forwardTiles = byTiles ? WinogradPlan(forward: geometry) : nil
    inputGradientTiles = byTiles ? WinogradPlan(inputGradient: geometry) : nil
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

  /// How the three products are computed: `direct` if all are; by tiles of a size, `winograd 4x4, by data 2x2`;
  /// or how targets of few channels are taken together: `groups of 2, by data folded, by weights windows`.
  package var description: String {
    if let forwardTiles, let inputGradientTiles {
      let (forward, byData) = (forwardTiles.outputs, inputGradientTiles.outputs)
      return "winograd \(forward)x\(forward), by data \(byData)x\(byData)"
    }
    let names = [
      forwardLines?.description, inputGradientLines?.description,
      weightGradientWindows.map { _ in "windows" },
    ].map { $0 ?? "direct" }
    if names.allSatisfy({ $0 == "direct" }) { return "direct" }
    return "\(names[0]), by data \(names[1]), by weights \(names[2])"
  }

  /// Multiply-adds per image whose tap lies inside the image: what the kernels really compute.
  package var multiplyAddCount: Int {
    let pixels = forward.classes[0].rectangles.reduce(0) {
      $0 + $1.tapCount * $1.vertical.targets.count * $1.horizontal.targets.count
    }
    return pixels * geometry.inputChannelsPerGroup * geometry.outputChannels
  }
}
