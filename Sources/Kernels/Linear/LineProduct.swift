import Storage

/// A product by lines on its way over the target.
struct LineProduct<S: Scalar> {
  private let plan: LinePlan
  private let scratch: LineScratch
  private let images: Int
  private let source: UnsafeMutablePointer<S>
  private let target: UnsafeMutablePointer<S>
  private let workspace: TileWorkspace<S>
  private let panels: PanelSplit
  private let tiles: EvenSplit

  init(
    plan: LinePlan, images: Int, source: Block<S>, target: Block<S>, scratch: Block<S>
  ) {
    self.plan = plan
    self.scratch = LineScratch(plan, lanes: S.lanes)
    self.images = images
    self.source = source.base
    self.target = target.base
    workspace = TileWorkspace(scratch)
    panels = PanelSplit(columns: plan.columns, of: S.self)
    tiles = EvenSplit(
      plan.rows, limit: TileLimits.rows(underColumns: plan.columns, of: S.self))
  }

  static func scratchCount(_ plan: LinePlan) -> Int {
    TileWorkspace<S>.elementCount + LineScratch(plan, lanes: S.lanes).count
  }

  func run(weights: Block<S>, bias: Block<S>?) {
    packWeights(weights.base)
    switch plan.form {
    case .grouped:
      fillStart(count: plan.columns, bias: bias)
      runGrouped()
    case .folded(let step, let start):
      fillStart(count: scratch.foldStride, bias: bias)
      runFolded(step: step, start: start)
    }
  }

  // MARK: Operands

  /// Zeros, and the weights of every kernel column where the plan wants them.
  private func packWeights(_ weights: UnsafeMutablePointer<S>) {
    let packed = workspace.rest + scratch.weights
    packed.fill(0, count: scratch.start)
    let kernelRow = plan.kernelWidth * plan.weightTapStride
    for row in 0..<plan.kernelHeight {
      for tap in plan.columnTaps {
        let from = weights + row * kernelRow + tap.kernelColumn * plan.weightTapStride
        for channel in 0..<plan.target.channels {
          let column = tap.column + channel
          let panel = column / panels.width
          let width = panels.vectors(of: panel) * panels.lanes
          let to =
            packedWeights(panel: panel, row: row) + tap.depth * width + column % panels.width
          for k in 0..<plan.source.channels {
            to[k * width] =
              from[k * plan.weightDepthStride + channel * plan.weightColumnStride]
          }
        }
      }
    }
  }

  private func packedWeights(panel: Int, row: Int) -> UnsafeMutablePointer<S> {
    let width = panels.vectors(of: panel) * panels.lanes
    return workspace.rest + scratch.weights
      + panel * panels.width * plan.kernelHeight * plan.depth + row * plan.depth * width
  }

  /// The bias again and again, or zeros.
  private func fillStart(count: Int, bias: Block<S>?) {
    let start = workspace.rest + scratch.start
    start.fill(0, count: scratch.sourceLines - scratch.start)
    guard let bias else { return }
    let before = scratch.targetsBefore * plan.target.channels
    for index in 0..<max(0, count - before) {
      start[before + index] = bias.base[index % plan.target.channels]
    }
  }

  // MARK: Groups of targets

  private func runGrouped() {
    let padded = workspace.rest + scratch.sourceLines
    let product = workspace.rest + scratch.products
    padded.fill(0, count: scratch.sourceLineCount * scratch.sourceLineStride)
    let end = images * plan.target.imageStride
    let first = padded + (scratch.pixelsBefore + plan.firstPixel) * plan.source.channels
    for image in 0..<images {
      for block in stride(from: 0, to: plan.target.height, by: scratch.block) {
        let lines = block..<min(block + scratch.block, plan.target.height)
        let sourceLines = plan.sourceLines(of: lines)
        copySource(sourceLines, ofImage: image, into: padded)
        for line in lines {
          let offset = image * plan.target.imageStride + line * plan.target.rowStride
          let fits = panels.count == 1 && offset + scratch.productStride <= end
          // What a line in place writes too far belongs to lines that come later.
          let to = fits ? target + offset : product
          multiplyLine(
            line, source: first - sourceLines.lowerBound * scratch.sourceLineStride,
            lineStride: scratch.sourceLineStride,
            start: UnsafePointer(workspace.rest + scratch.start), into: to)
          if !fits { (target + offset).update(from: product, count: plan.target.rowStride) }
        }
      }
    }
  }

  private func copySource(
    _ lines: Range<Int>, ofImage image: Int, into padded: UnsafeMutablePointer<S>
  ) {
    let rowStride = plan.source.rowStride
    var to = padded + scratch.pixelsBefore * plan.source.channels
    for line in lines {
      to.update(
        from: source + image * plan.source.imageStride + line * rowStride, count: rowStride)
      to += scratch.sourceLineStride
    }
  }

  // MARK: Folds

  private func runFolded(step: Int, start: Int) {
    let products = workspace.rest + scratch.products
    for image in 0..<images {
      for block in stride(from: 0, to: plan.target.height, by: scratch.block) {
        let lines = block..<min(block + scratch.block, plan.target.height)
        for line in lines {
          multiplyLine(
            line, source: source + image * plan.source.imageStride,
            lineStride: plan.source.rowStride, start: workspace.zeros,
            into: products + (line - block) * scratch.productStride)
        }
        fold(lines.count, step: step, first: start + scratch.targetsBefore)
        for line in lines {
          let from =
            workspace.rest + scratch.folds + (line - block) * scratch.foldStride
            + scratch.targetsBefore * plan.target.channels
          (target + image * plan.target.imageStride + line * plan.target.rowStride)
            .update(from: from, count: plan.target.rowStride)
        }
      }
    }
  }

  /// Adds the rows of every line to its targets, in the order of the source pixels. What lies in a row
  /// behind its columns is zero.
  private func fold(_ lines: Int, step: Int, first: Int) {
    let folds = workspace.rest + scratch.folds
    for line in 0..<lines {
      (folds + line * scratch.foldStride).update(
        from: workspace.rest + scratch.start, count: scratch.foldStride)
    }
    let channels = plan.target.channels
    for row in 0..<plan.rows {
      var from = workspace.rest + scratch.products + row * scratch.productRowStride
      var to = folds + (first + row * step) * channels
      for _ in 0..<lines {
        var column = 0
        while column < scratch.productRowStride {
          to.setVector(to.vector(at: column) + from.vector(at: column), at: column)
          column &+= S.lanes
        }
        from += scratch.productStride
        to += scratch.foldStride
      }
    }
  }

  // MARK: Tiles

  /// The product of one target line: `[rows, columns]`.
  ///
  /// Rows of one panel are stored in full vectors: each overwrites what the one before wrote too far.
  private func multiplyLine(
    _ line: Int, source: UnsafeMutablePointer<S>, lineStride: Int, start: UnsafePointer<S>,
    into product: UnsafeMutablePointer<S>
  ) {
    let taps = plan.lines[line]
    let a = UnsafePointer(source + taps.sourceLine * lineStride)
    for panel in 0..<panels.count {
      let vectors = panels.vectors(of: panel)
      let width = vectors * panels.lanes
      let columns =
        panels.count == 1 || scratch.productRowStride > plan.columns
        ? width : panels.validColumns(of: panel)
      var operands = TileOperands<S>(
        a: a, aRows: RowStrides(plan.rowStride),
        b: packedWeights(panel: panel, row: taps.kernelRow),
        depth: DepthLoops(
          middle: DepthLoop(
            count: taps.count, aStride: plan.sourceLineStep * lineStride,
            bStride: plan.kernelRowStep * plan.depth * width),
          inner: DepthLoop(count: plan.depth, aStride: 1, bStride: width)),
        start: start, startRowStride: 0, c: product, cRowStride: scratch.productRowStride)
      if case .grouped = plan.form { operands.start += panel * panels.width }
      for tile in 0..<tiles.partCount {
        let rows = tiles[tile]
        operands.a = a + rows.lowerBound * plan.rowStride
        operands.c =
          product + rows.lowerBound * scratch.productRowStride + panel * panels.width
        workspace.compute(
          .productsAlongDepth, rows: rows.count, columns: columns, vectors: vectors, operands)
      }
    }
  }
}
