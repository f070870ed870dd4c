import Graph

// One vector: 16 channels. Costs are multiply-adds of vectors per image.

/// What a convolution and both its gradients cost, directly and by tiles.
///
/// A function of the geometry alone, so that the choice it makes, and the bits with it, are the same on
/// every machine and any number of ranks. One choice serves all three products: they have the same sizes, and
/// where tiles win forward they win in the gradients too.
struct WinogradCost: Equatable, Sendable {
  let direct: Double
  let byTiles: Double

  /// What a vector's way through a transform takes, loads and stores included; fitted to measurements.
  private static var perTransform: Double { 16 }
  /// Images that share one transform of the weights: a small shard.
  private static var images: Double { 8 }
  /// Larger rounding errors have to be worth it.
  private static var leastGain: Double { 1.25 }

  var prefersTiles: Bool { byTiles * Self.leastGain < direct }

  /// - Precondition: `WinogradPlan.isPossible(geometry)`
  init(_ geometry: ConvolutionGeometry) {
    let forward = Self.pass(geometry.inputChannels, geometry.outputChannels)
    let byData = Self.pass(geometry.outputChannels, geometry.inputChannels)
    let taps = Self.taps(geometry.vertical) * Self.taps(geometry.horizontal)
    // The gradient by weights multiplies and transforms as much as the convolution itself.
    direct = Double(taps) * (2 * forward.products + byData.products)
    byTiles =
      2 * Self.byTiles(WinogradPlan(forward: geometry), forward)
      + Self.byTiles(WinogradPlan(inputGradient: geometry), byData)
  }

  /// One tap of one pixel, or one place of one tile: its products, and its vectors to transform.
  private static func pass(_ inputs: Int, _ outputs: Int) -> (products: Double, vectors: Double) {
    func vectors(_ channels: Int) -> Double { Double((channels + 15) / 16) }
    return (Double(inputs) * vectors(outputs), vectors(inputs) + vectors(outputs))
  }

  private static func byTiles(
    _ plan: WinogradPlan, _ pass: (products: Double, vectors: Double)
  ) -> Double {
    let perPlace =
      Double(plan.tileCount) * (pass.products + perTransform * pass.vectors)
      + perTransform * pass.products / images
    return Double(plan.products) * perPlace
  }

  /// Taps inside the image, summed over the outputs of an axis.
  private static func taps(_ axis: WindowAxis) -> Int {
    TapClass.forward(axis).runs.reduce(0) { $0 + $1.targets.count * $1.taps.count }
  }
}
