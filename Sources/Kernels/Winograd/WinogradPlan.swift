import Graph

// m outputs per side of a tile; n = m + 2 inputs.

/// A 3 x 3 convolution of stride 1 in tiles of m x m outputs: everything that does not depend on the
/// number of images.
struct WinogradPlan: Equatable, Sendable {
  /// Rows, columns and channels of one image.
  struct Grid: Equatable, Sendable {
    var rows: Int
    var columns: Int
    var channels: Int

    var count: Int { rows * columns * channels }
  }

  /// m
  let outputs: Int
  let source: Grid
  let target: Grid
  /// Zeros above and left of the source.
  let padTop: Int
  let padLeft: Int
  let tileRows: Int
  let tileColumns: Int

  /// Whether tiles compute a convolution of this geometry.
  static func isPossible(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.groups == 1
      && [geometry.vertical, geometry.horizontal].allSatisfy {
        $0.kernel == 3 && $0.stride == 1 && $0.dilation == 1 && $0.padBefore <= 2
          && $0.padAfter <= 2
      }
  }

  /// Whether a convolution of this geometry is computed by tiles.
  static func isUsed(for geometry: ConvolutionGeometry) -> Bool {
    guard isPossible(geometry) else { return false }
    return switch geometry.algorithm {
    case .auto: WinogradCost(geometry).prefersTiles
    case .direct: false
    case .winograd: true
    }
  }

  init(forward geometry: ConvolutionGeometry) {
    self.init(
      source: Grid(inputOf: geometry), target: Grid(outputOf: geometry),
      padTop: geometry.vertical.padBefore, padLeft: geometry.horizontal.padBefore)
  }

  /// The gradient by data is a convolution of the output's gradient with the kernel turned over.
  init(inputGradient geometry: ConvolutionGeometry) {
    self.init(
      source: Grid(outputOf: geometry), target: Grid(inputOf: geometry),
      padTop: 2 - geometry.vertical.padBefore, padLeft: 2 - geometry.horizontal.padBefore)
  }

  private init(source: Grid, target: Grid, padTop: Int, padLeft: Int) {
    self.source = source
    self.target = target
    self.padTop = padTop
    self.padLeft = padLeft
    outputs = Self.bestOutputs(for: target)
    tileRows = Self.tileCount(target.rows, outputs: outputs)
    tileColumns = Self.tileCount(target.columns, outputs: outputs)
  }

  /// The m with the fewest products per image. Where both take as many, the smaller tile rounds less.
  private static func bestOutputs(for target: Grid) -> Int {
    func products(_ outputs: Int) -> Int {
      tileCount(target.rows, outputs: outputs) * tileCount(target.columns, outputs: outputs)
        * (outputs + 2) * (outputs + 2)
    }
    return products(2) <= products(4) ? 2 : 4
  }

  private static func tileCount(_ length: Int, outputs: Int) -> Int {
    (length + outputs - 1) / outputs
  }

  /// n²
  var products: Int { (outputs + 2) * (outputs + 2) }
  var tileCount: Int { tileRows * tileColumns }
  var weightCount: Int { 9 * source.channels * target.channels }

  /// The image of a tile, and its first output's place in it.
  @inline(__always) func place(ofTile tile: Int) -> (image: Int, row: Int, column: Int) {
    let (image, inImage) = tile.quotientAndRemainder(dividingBy: tileCount)
    let (row, column) = inImage.quotientAndRemainder(dividingBy: tileColumns)
    return (image, row * outputs, column * outputs)
  }
}

extension WinogradPlan.Grid {
  fileprivate init(inputOf geometry: ConvolutionGeometry) {
    self.init(
      rows: geometry.vertical.input, columns: geometry.horizontal.input,
      channels: geometry.inputChannels)
  }

  fileprivate init(outputOf geometry: ConvolutionGeometry) {
    self.init(
      rows: geometry.vertical.output, columns: geometry.horizontal.output,
      channels: geometry.outputChannels)
  }
}
