// How a product by lines lays out its scratch: pure arithmetic, no memory.

/// Offsets behind the workspace of tiles, in elements.
struct LineScratch: Equatable, Sendable {
  /// `[panel][kernel row, depth, column]`
  let weights = 0
  /// What a result starts from: a bias for every column of a row, or of a whole line that is folded.
  let start: Int
  /// Source lines between zeros, as far as rows reach; none where rows are folded.
  let sourceLines: Int
  let sourceLineStride: Int
  let sourceLineCount: Int
  /// Pixels of a line before its source's first.
  let pixelsBefore: Int
  /// The products of lines.
  let products: Int
  /// From line to line, and from row to row of a line.
  let productStride: Int
  let productRowStride: Int
  /// Lines into which products are folded.
  let folds: Int
  let foldStride: Int
  /// Targets of a folded line before the image's first.
  let targetsBefore: Int
  /// Target lines at a time.
  let block: Int
  let count: Int

  init(_ plan: LinePlan, lanes: Int) {
    // A panel's columns may begin another vector.
    let paddedColumns = (plan.columns + lanes - 1) / lanes * lanes
    // So that vectors of products lie in single cache lines.
    func whole(_ count: Int) -> Int { (count + 15) / 16 * 16 }
    start = plan.kernelHeight * plan.depth * paddedColumns
    switch plan.form {
    case .grouped(let size):
      pixelsBefore = max(0, -plan.firstPixel)
      let channels = plan.source.channels
      let reach = (plan.firstPixel + pixelsBefore) * channels + (plan.rows - 1) * plan.rowStride
      sourceLineStride = max((pixelsBefore + plan.source.width) * channels, reach + plan.depth)
      block = Self.targetLines(plan, sourceLineStride: sourceLineStride)
      sourceLineCount = plan.mostSourceLines(block: block)
      sourceLines = start + paddedColumns
      products = whole(sourceLines + sourceLineCount * sourceLineStride)
      productRowStride = size * plan.target.channels
      productStride = plan.rows * productRowStride + paddedColumns
      folds = products + productStride
      (foldStride, targetsBefore) = (0, 0)
      count = folds
    case .folded(let step, let first):
      (pixelsBefore, sourceLineStride, sourceLineCount) = (0, 0, 0)
      targetsBefore = max(0, -first)
      let reach = (plan.rows - 1) * step + first + targetsBefore + plan.kernelWidth
      foldStride = whole(
        max(targetsBefore + plan.target.width, reach) * plan.target.channels + paddedColumns)
      sourceLines = whole(start + foldStride)
      products = sourceLines
      productRowStride = paddedColumns
      productStride = plan.rows * productRowStride
      // Additions to neighbouring targets wait for each other; lines take turns meanwhile.
      block = min(8, max(1, plan.target.height))
      folds = products + block * productStride
      count = folds + block * foldStride
    }
  }

  /// As many lines as share a first-level cache with their weights.
  private static func targetLines(_ plan: LinePlan, sourceLineStride: Int) -> Int {
    let lines = 4096 / max(1, sourceLineStride)
    return min(max(lines - plan.kernelHeight, 4), max(1, plan.target.height))
  }
}

extension LinePlan {
  /// The source lines that the target lines `range` see.
  func sourceLines(of range: Range<Int>) -> Range<Int> {
    var (low, high) = (source.height, 0)
    for line in range where lines[line].count > 0 {
      low = min(low, lines[line].sourceLine)
      high = max(high, lines[line].sourceLine + (lines[line].count - 1) * sourceLineStep + 1)
    }
    return low..<max(low, high)
  }

  /// The most source lines that a block of target lines sees.
  fileprivate func mostSourceLines(block: Int) -> Int {
    // Made anew for every product: a step allocates nothing, so no list of counts.
    stride(from: 0, to: target.height, by: block).reduce(0) { most, first in
      max(most, sourceLines(of: first..<min(first + block, target.height)).count)
    }
  }
}
