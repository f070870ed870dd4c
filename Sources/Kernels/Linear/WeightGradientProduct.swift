/// The gradient of a convolution by its weights: input rows times output gradients, summed over pixels.
struct WeightGradientProduct<S: Scalar> {
  /// The forward plan: sources are inputs, targets are outputs.
  let plan: SlidingPlan
  let images: Int
  let input: UnsafeMutablePointer<S>
  let outputGradient: UnsafeMutablePointer<S>
  let target: UnsafeMutablePointer<S>
  let workspace: TileWorkspace<S>

  /// Bytes of input and output gradient that are read again for each tile of weights.
  /// One-vector tiles read twice as
  /// much per product, so theirs must lie in L1.
  private var residentBytes: Int {
    TileLimits.isWide && panels.columns <= panels.lanes ? 32 * 1024 : 128 * 1024
  }

  func run() {
    let window = plan.classes[0]
    let count = window.tapCount * plan.weightTapStride
    target.fill(0, count: count)
    for rectangle in window.rectangles where rectangle.tapCount > 0 {
      multiply(rectangle, of: window)
    }
  }

  private var panels: PanelSplit {
    PanelSplit(
      columns: plan.isDepthwise ? plan.target.channels : plan.targetChannelsPerGroup, of: S.self)
  }
  private var groupCount: Int { plan.isDepthwise ? 1 : plan.groups }

  /// Adds the products of one rectangle, block of pixels by block of pixels.
  private func multiply(_ rectangle: TapRectangle, of window: WindowClass) {
    let axes = plan.axes(of: rectangle, window, images: images, tile: .x)
    let pixelBytes = MemoryLayout<S>.size * (axes.tile.sourceStride + axes.tile.targetStride)
    let lineLimit = max(1, residentBytes / (axes.tile.count * pixelBytes))
    let rows = EvenSplit(axes.second.count, limit: lineLimit)
    let imageLimit = max(1, lineLimit / axes.second.count)
    let groupsOfImages = EvenSplit(images, limit: rows.partCount == 1 ? imageLimit : 1)
    let corner = plan.corner(of: rectangle, window, image: 0)
    for imageBlock in 0..<groupsOfImages.partCount {
      for rowBlock in 0..<rows.partCount {
        var block = axes
        let (images, lines) = (groupsOfImages[imageBlock], rows[rowBlock])
        block.third.count = images.count
        block.second.count = lines.count
        let sourceOffset =
          corner.source + images.lowerBound * axes.third.sourceStride
          + lines.lowerBound * axes.second.sourceStride
        let targetOffset =
          corner.target + images.lowerBound * axes.third.targetStride
          + lines.lowerBound * axes.second.targetStride
        multiply(
          rectangle, window, block, input: input + sourceOffset,
          outputGradient: outputGradient + targetOffset)
      }
    }
  }

  /// Adds the products of one block of pixels to every weight they meet.
  private func multiply(
    _ rectangle: TapRectangle, _ window: WindowClass, _ pixels: AxisOrder,
    input: UnsafeMutablePointer<S>, outputGradient: UnsafeMutablePointer<S>
  ) {
    let merges = plan.mergesTaps(window) || plan.isDepthwise
    for group in 0..<groupCount {
      for y in 0..<rectangle.vertical.taps.count {
        let row = input + y * window.vertical.tapStep * plan.source.rowStride
        for x in 0..<(merges ? 1 : rectangle.horizontal.taps.count) {
          let kernelRow = rectangle.vertical.taps.lowerBound + y
          let kernelColumn = rectangle.horizontal.taps.lowerBound + x
          let weight = (kernelRow * plan.kernelWidth + kernelColumn) * plan.weightTapStride
          let pixel =
            x * window.horizontal.tapStep * plan.source.channels
            + group * plan.sourceChannelsPerGroup
          multiplyTaps(
            merges ? rectangle.horizontal.taps.count : 1, window, pixels, input: row + pixel,
            outputGradient: outputGradient + group * plan.weightGroupStride,
            target: target + weight + group * plan.weightGroupStride)
        }
      }
    }
  }

  /// Adds to the weights of one kernel row, or of one of its taps: rows (tap, input channel), columns
  /// output channels.
  private func multiplyTaps(
    _ taps: Int, _ window: WindowClass, _ pixels: AxisOrder, input: UnsafeMutablePointer<S>,
    outputGradient: UnsafeMutablePointer<S>, target: UnsafeMutablePointer<S>
  ) {
    let isDepthwise = plan.isDepthwise
    let rowStride = isDepthwise ? window.horizontal.tapStep * plan.source.channels : 1
    let tiles = EvenSplit(
      isDepthwise ? taps : taps * plan.sourceChannelsPerGroup,
      limit: isDepthwise ? TileLimits.laneRows : TileLimits.rows(of: S.self))
    for panel in 0..<panels.count {
      let column = panel * panels.width
      for tile in 0..<tiles.partCount {
        let rows = tiles[tile]
        let to = target + rows.lowerBound * plan.target.channels + column
        workspace.compute(
          isDepthwise ? .laneProducts : .productsAlongRows, rows: rows.count,
          columns: panels.validColumns(of: panel), vectors: panels.vectors(of: panel),
          TileOperands(
            a: input + rows.lowerBound * rowStride + (isDepthwise ? column : 0),
            aRows: RowStrides(rowStride), b: outputGradient + column, depth: pixels.depth,
            start: UnsafePointer(to), startRowStride: plan.target.channels, c: to,
            cRowStride: plan.target.channels))
      }
    }
  }
}

extension AxisOrder {
  /// The axes as the depth of a product: what is summed over.
  fileprivate var depth: DepthLoops {
    DepthLoops(outer: third.loop, middle: second.loop, inner: tile.loop)
  }
}

extension TargetAxis {
  fileprivate var loop: DepthLoop {
    DepthLoop(count: count, aStride: sourceStride, bStride: targetStride)
  }
}
