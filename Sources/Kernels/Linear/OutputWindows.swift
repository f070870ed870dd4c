import Graph
import Storage

// The gradient by the weights of a layer with few filters. An input pixel meets the window of output
// gradients around it: [kernel width, Cout] neighbours, many where Cout alone is few.

/// Deciding: `gradient[row, column] = sum over input pixels of input[row] * window[column]`, rows
/// (kernel row, input channel), columns (kernel column from right to left, output channel).
struct OutputWindowPlan: Equatable, Sendable {
  let input: ImageShape
  let output: ImageShape
  let kernelHeight: Int
  let kernelWidth: Int
  /// Runs of output lines that see the same kernel rows.
  let runs: [TapRun]
  let lineStep: Int
  let firstLine: Int
  /// Outputs of a line before the first that input pixel 0 meets; negative: padding.
  let firstOutput: Int

  /// nil where the outputs that see an input pixel are not neighbours, or its kernel rows are not.
  init?(_ geometry: ConvolutionGeometry) {
    let (vertical, horizontal) = (geometry.vertical, geometry.horizontal)
    guard geometry.groups == 1, vertical.dilation == 1, horizontal.dilation == 1,
      horizontal.stride == 1
    else { return nil }
    input = geometry.inputShape
    output = geometry.outputShape
    kernelHeight = vertical.kernel
    kernelWidth = horizontal.kernel
    runs = TapClass.forward(vertical).runs
    lineStep = vertical.stride
    firstLine = -vertical.padBefore
    firstOutput = horizontal.padBefore - (horizontal.kernel - 1)
  }

  var rows: Int { kernelHeight * input.channels }
  var columns: Int { kernelWidth * output.channels }
  /// Elements of an output line with all that the windows of the first and last input pixel reach.
  var windowLine: Int { (input.width + kernelWidth - 1) * output.channels }

  /// Output lines at a time: those of several images, of one, or some of one.
  var block: Int {
    let lineBytes = 4 * (windowLine + input.rowStride * lineStep)
    let most = max(4, 64 * 1024 / max(1, lineBytes))
    guard most >= output.height, output.height > 0 else { return most }
    return most / output.height * output.height
  }

  /// The input lines that a block of output lines sees, in one image after the other.
  var blockInputLines: Int {
    guard block >= output.height else { return (block - 1) * lineStep + kernelHeight }
    return block / max(1, output.height) * input.height
  }
}

/// Doing.
struct OutputWindowProduct<S: Scalar> {
  let plan: OutputWindowPlan
  let input: UnsafeMutablePointer<S>
  let outputGradient: UnsafeMutablePointer<S>
  let workspace: TileWorkspace<S>
  private let panels: PanelSplit

  init(
    plan: OutputWindowPlan, input: Block<S>, outputGradient: Block<S>, scratch: Block<S>
  ) {
    self.plan = plan
    self.input = input.base
    self.outputGradient = outputGradient.base
    workspace = TileWorkspace(scratch)
    panels = PanelSplit(columns: plan.columns, of: S.self)
  }

  static func scratchCount(_ plan: OutputWindowPlan) -> Int {
    let columns = PanelSplit(columns: plan.columns, of: S.self).paddedColumns
    return TileWorkspace<S>.elementCount + plan.rows * columns + plan.block * plan.windowLine
      + columns + plan.blockInputLines * plan.input.rowStride
  }

  private var sums: UnsafeMutablePointer<S> { workspace.rest }
  private var windows: UnsafeMutablePointer<S> { sums + plan.rows * panels.paddedColumns }
  /// `[input line, channel, column]`; unused where the input has one channel and lies so already.
  private var planes: UnsafeMutablePointer<S> {
    windows + plan.block * plan.windowLine + panels.paddedColumns
  }

  func run(images: Int, into target: UnsafeMutablePointer<S>) {
    sums.fill(0, count: plan.rows * panels.paddedColumns)
    windows.fill(0, count: plan.block * plan.windowLine)
    if plan.block >= plan.output.height {
      let count = plan.block / max(1, plan.output.height)
      for image in stride(from: 0, to: images, by: count) {
        add(images: image..<min(image + count, images), lines: 0..<plan.output.height)
      }
    } else {
      for image in 0..<images {
        for line in stride(from: 0, to: plan.output.height, by: plan.block) {
          add(
            images: image..<(image + 1), lines: line..<min(line + plan.block, plan.output.height))
        }
      }
    }
    storeWeights(into: target)
  }

  /// Adds the products of some output lines of some images.
  private func add(images: Range<Int>, lines: Range<Int>) {
    copyWindows(images, lines)
    let low = max(0, plan.firstLine + lines.lowerBound * plan.lineStep)
    let high = min(
      plan.input.height,
      plan.firstLine + (lines.upperBound - 1) * plan.lineStep + plan.kernelHeight)
    let isWhole = lines.count == plan.output.height
    let inputLines = isWhole ? 0..<plan.input.height : low..<max(low, high)
    let isPlanar = plan.input.channels == 1
    let first = images.lowerBound * plan.input.imageStride
    if !isPlanar { copyPlanes(images, inputLines) }
    let planes =
      isPlanar ? input + first : self.planes - inputLines.lowerBound * plan.input.rowStride
    let imageStride =
      isPlanar ? plan.input.imageStride : inputLines.count * plan.input.rowStride
    for run in plan.runs {
      let targets = run.targets.clamped(to: lines)
      guard !targets.isEmpty, !run.taps.isEmpty else { continue }
      let line = plan.firstLine + targets.lowerBound * plan.lineStep + run.taps.lowerBound
      multiply(
        run.taps,
        DepthLoops(
          outer: DepthLoop(
            count: images.count, aStride: imageStride, bStride: lines.count * plan.windowLine),
          middle: DepthLoop(
            count: targets.count, aStride: plan.lineStep * plan.input.rowStride,
            bStride: plan.windowLine),
          inner: DepthLoop(
            count: plan.input.width, aStride: 1, bStride: plan.output.channels)),
        input: planes + line * plan.input.rowStride,
        windows: windows + (targets.lowerBound - lines.lowerBound) * plan.windowLine)
    }
  }

  private func multiply(
    _ taps: Range<Int>, _ depth: DepthLoops, input: UnsafeMutablePointer<S>,
    windows: UnsafeMutablePointer<S>
  ) {
    let channels = plan.input.channels
    let stride = panels.paddedColumns
    let tiles = EvenSplit(
      taps.count * channels, limit: TileLimits.rows(underColumns: plan.columns, of: S.self))
    for panel in 0..<panels.count {
      let vectors = panels.vectors(of: panel)
      for tile in 0..<tiles.partCount {
        let rows = tiles[tile]
        let to =
          sums + (taps.lowerBound * channels + rows.lowerBound) * stride + panel * panels.width
        workspace.compute(
          .productsAlongDepth, rows: rows.count, columns: vectors * panels.lanes,
          vectors: vectors,
          TileOperands(
            a: input + rows.lowerBound * plan.input.width, aRows: RowStrides(plan.input.width),
            b: windows + panel * panels.width, depth: depth, start: UnsafePointer(to),
            startRowStride: stride, c: to, cRowStride: stride))
      }
    }
  }

  /// Copies output lines between the zeros that stand for outputs outside the image.
  private func copyWindows(_ images: Range<Int>, _ lines: Range<Int>) {
    let channels = plan.output.channels
    // Input pixel 0 meets outputs from `firstOutput` on; where that is inside, the others are not seen.
    let skipped = max(0, plan.firstOutput) * channels
    let count = min(
      plan.output.rowStride - skipped, plan.windowLine - max(0, -plan.firstOutput) * channels)
    guard count > 0 else { return }
    var to = windows + max(0, -plan.firstOutput) * channels
    for image in images {
      for line in lines {
        let from = image * plan.output.imageStride + line * plan.output.rowStride + skipped
        to.update(from: outputGradient + from, count: count)
        to += plan.windowLine
      }
    }
  }

  /// Parts the channels of input lines.
  private func copyPlanes(_ images: Range<Int>, _ lines: Range<Int>) {
    let (width, channels) = (plan.input.width, plan.input.channels)
    var to = planes
    for image in images {
      for line in lines {
        let from = input + image * plan.input.imageStride + line * plan.input.rowStride
        for channel in 0..<channels {
          for column in 0..<width { to[column] = from[column * channels + channel] }
          to += width
        }
      }
    }
  }

  /// `target[y, x, ci, co] = sums[(y, ci), (width - 1 - x, co)]`
  private func storeWeights(into target: UnsafeMutablePointer<S>) {
    let (channels, filters) = (plan.input.channels, plan.output.channels)
    var to = target
    for y in 0..<plan.kernelHeight {
      for x in (0..<plan.kernelWidth).reversed() {
        for channel in 0..<channels {
          let from = sums + (y * channels + channel) * panels.paddedColumns + x * filters
          to.update(from: from, count: filters)
          to += filters
        }
      }
    }
  }
}
