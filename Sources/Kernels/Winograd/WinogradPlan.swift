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

  init(forward geometry: ConvolutionGeometry, outputs: Int) {
    self.init(
      outputs: outputs, source: Grid(inputOf: geometry), target: Grid(outputOf: geometry),
      padTop: geometry.vertical.padBefore, padLeft: geometry.horizontal.padBefore)
  }

  /// The gradient by data is a convolution of the output's gradient with the kernel turned over.
  init(inputGradient geometry: ConvolutionGeometry, outputs: Int) {
    self.init(
      outputs: outputs, source: Grid(outputOf: geometry), target: Grid(inputOf: geometry),
      padTop: 2 - geometry.vertical.padBefore, padLeft: 2 - geometry.horizontal.padBefore)
  }

  private init(outputs: Int, source: Grid, target: Grid, padTop: Int, padLeft: Int) {
    self.outputs = outputs
    self.source = source
    self.target = target
    self.padTop = padTop
    self.padLeft = padLeft
    tileRows = (target.rows + outputs - 1) / outputs
    tileColumns = (target.columns + outputs - 1) / outputs
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
