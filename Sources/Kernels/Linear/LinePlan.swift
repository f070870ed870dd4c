import Graph

// Convolutions whose targets have few channels, as products of whole lines. A vector along the channels
// of one target would be mostly empty, so each row of a product covers several neighbouring targets.

/// The kernel rows that one line of targets sees, and the source line under the first of them.
struct LineTaps: Equatable, Sendable {
  var sourceLine = 0
  var kernelRow = 0
  var count = 0
}

/// Where the weights of one kernel column stand in the matrix of a kernel row.
struct ColumnTap: Equatable, Sendable {
  var depth: Int
  var column: Int
  var kernelColumn: Int
}

/// A convolution or its gradient by data, line of targets by line of targets.
///
/// One line is a product `[rows, depth] * [depth, columns]`, summed over kernel rows.
struct LinePlan: Equatable, Sendable {
  enum Form: Equatable, Sendable {
    /// A row is `size` neighbouring targets, filtered at once: its depth is every source pixel that one
    /// of them sees, and where a target does not see a pixel the matrix has a zero. The rows of a line
    /// follow each other as the line lies in memory.
    case grouped(size: Int)
    /// A row is one source pixel and all its columns what it adds to the targets that see it. The
    /// targets of neighbouring pixels overlap: the rows of a line are folded into it, pixel `x` from
    /// target `x * step + start` on.
    case folded(step: Int, start: Int)
  }

  let form: Form
  let source: ImageShape
  let target: ImageShape
  /// By target line.
  let lines: [LineTaps]
  let kernelHeight: Int
  let kernelWidth: Int
  /// From one tap of a line to the next.
  let sourceLineStep: Int
  let kernelRowStep: Int

  let rows: Int
  let columns: Int
  /// Source elements of one kernel row that a row reads; they are neighbours.
  let depth: Int
  /// Source elements between rows.
  let rowStride: Int
  let columnTaps: [ColumnTap]

  /// Pixels of the source before the first row's; negative: padding.
  let firstPixel: Int

  let weightDepthStride: Int
  let weightColumnStride: Int
  let weightTapStride: Int

  /// nil where a stride gives neighbouring targets different windows, or channels form groups.
  init?(_ slide: SlidingPlan, groupsOf size: Int) {
    guard slide.groups == 1, let horizontal = slide.classes.first?.horizontal,
      slide.classes.allSatisfy({ $0.horizontal == horizontal })
    else { return nil }
    let channels = slide.source.channels
    let reach = (horizontal.tapCount - 1) * horizontal.tapStep + 1
    self.init(
      slide, form: .grouped(size: size), rows: (slide.target.width + size - 1) / size,
      columns: size * slide.target.channels,
      depth: ((size - 1) * horizontal.sourceStep + reach) * channels,
      rowStride: size * horizontal.sourceStep * channels,
      columnTaps: (0..<size).flatMap { place in
        (0..<horizontal.tapCount).map { tap in
          ColumnTap(
            depth: (place * horizontal.sourceStep + tap * horizontal.tapStep) * channels,
            column: place * slide.target.channels,
            kernelColumn: horizontal.weightStart + tap * horizontal.weightStep)
        }
      },
      firstPixel: horizontal.sourceStart)
  }

  /// nil where the targets that see a source pixel are not neighbours.
  init?(folding slide: SlidingPlan, forward axis: WindowAxis) {
    guard slide.groups == 1, axis.dilation == 1, axis.stride == 1 else { return nil }
    self.init(
      folding: slide, step: 1, start: axis.padBefore - (axis.kernel - 1),
      kernelColumns: (0..<axis.kernel).reversed())
  }

  init?(folding slide: SlidingPlan, inputGradient axis: WindowAxis) {
    guard slide.groups == 1, axis.dilation == 1 else { return nil }
    self.init(
      folding: slide, step: axis.stride, start: -axis.padBefore,
      kernelColumns: Array(0..<axis.kernel))
  }

  private init(folding slide: SlidingPlan, step: Int, start: Int, kernelColumns: [Int]) {
    let channels = slide.target.channels
    self.init(
      slide, form: .folded(step: step, start: start), rows: slide.source.width,
      columns: kernelColumns.count * channels, depth: slide.source.channels,
      rowStride: slide.source.channels,
      columnTaps: kernelColumns.enumerated().map {
        ColumnTap(depth: 0, column: $0 * channels, kernelColumn: $1)
      },
      firstPixel: 0)
  }

  private init(
    _ slide: SlidingPlan, form: Form, rows: Int, columns: Int, depth: Int, rowStride: Int,
    columnTaps: [ColumnTap], firstPixel: Int
  ) {
    self.form = form
    self.rows = rows
    self.columns = columns
    self.depth = depth
    self.rowStride = rowStride
    self.columnTaps = columnTaps
    self.firstPixel = firstPixel
    source = slide.source
    target = slide.target
    lines = slide.lineTaps
    kernelHeight = slide.kernelHeight
    kernelWidth = slide.kernelWidth
    sourceLineStep = slide.classes[0].vertical.tapStep
    kernelRowStep = slide.classes[0].vertical.weightStep
    weightDepthStride = slide.weightDepthStride
    weightColumnStride = slide.weightColumnStride
    weightTapStride = slide.weightTapStride
  }
}

extension LinePlan {
  var description: String {
    switch form {
    case .grouped(let size): "groups of \(size)"
    case .folded: "folded"
    }
  }
}

extension SlidingPlan {
  /// By target line; the vertical classes share the steps from tap to tap.
  fileprivate var lineTaps: [LineTaps] {
    var lines = [LineTaps](repeating: LineTaps(), count: target.height)
    for vertical in classes.map(\.vertical) {
      for target in 0..<vertical.targetCount {
        let taps = vertical.taps(of: target)
        lines[vertical.targetStart + target * vertical.targetStep] = LineTaps(
          sourceLine: vertical.sourceStart + target * vertical.sourceStep
            + taps.lowerBound * vertical.tapStep,
          kernelRow: vertical.weightStart + taps.lowerBound * vertical.weightStep,
          count: taps.count)
      }
    }
    return lines
  }
}
