import Graph

/// Which of a convolution's products are better computed several targets at a time; nil: not that one.
///
/// The rule compares estimates of cycles, for vectors of sixteen numbers on every machine, and looks at
/// nothing but the geometry.
struct FewChannelChoice: Equatable, Sendable {
  var forward: LinePlan?
  var inputGradient: LinePlan?
  var weightGradient: OutputWindowPlan?

  init(_ geometry: ConvolutionGeometry, forward: SlidingPlan, inputGradient: SlidingPlan) {
    guard geometry.groups == 1, geometry.outputCount > 0,
      geometry.vertical.kernel * geometry.horizontal.kernel > 1
    else { return }
    self.forward = Self.best(
      forward, folded: LinePlan(folding: forward, forward: geometry.horizontal))
    self.inputGradient = Self.best(
      inputGradient, folded: LinePlan(folding: inputGradient, inputGradient: geometry.horizontal))
    weightGradient = OutputWindowPlan(geometry).flatMap {
      $0.cycles < Self.gain * forward.weightGradientCycles ? $0 : nil
    }
  }

  /// What an alternative may cost at most, since estimates err.
  private static var gain: Double { 0.85 }

  private static func best(_ slide: SlidingPlan, folded: LinePlan?) -> LinePlan? {
    let sizes = 1...max(1, 32 / max(1, slide.target.channels))
    let grouped = sizes.compactMap { LinePlan(slide, groupsOf: $0) }
    let candidates = ([folded].compactMap { $0 } + grouped).map { ($0, $0.cycles) }
    guard let best = candidates.min(by: { $0.1 < $1.1 }), best.1 < gain * slide.cycles else {
      return nil
    }
    return best.0
  }
}

// Estimates, in cycles per image of a core that starts two vectors of multiply-adds per cycle.

/// One line of a product cut into tiles: the cycles of `rows` rows of `columns` columns.
///
/// A step of the depth takes as long as its multiply-adds, at least the latency of one. Where a number is
/// fetched for a single vector, the fetching takes longer than the arithmetic.
private func tileCycles(
  rows: Int, columns: Int, kernelRows: Int, depth: Int, storesNarrow: Bool = false
) -> Double {
  let (lanes, panelWidth) = (16, 32)
  var cycles = 0.0
  for column in stride(from: 0, to: columns, by: panelWidth) {
    let width = min(panelWidth, columns - column)
    let vectors = (width + lanes - 1) / lanes
    let tiles = EvenSplit(rows, limit: columns <= lanes ? 16 : 14)
    for tile in 0..<tiles.partCount {
      let count = tiles[tile].count
      let step = max(Double(count) * (vectors == 1 ? 0.7 : 1), 4)
      let narrow = storesNarrow && width % lanes != 0 ? 3 * Double(count) : 0
      cycles += 40 + Double(kernelRows) * (8 + Double(depth) * step) + narrow
    }
  }
  return cycles
}

/// Numbers moved from one place to another.
private func copyCycles(_ count: Int) -> Double { 10 + Double(count) / 8 }

extension SlidingPlan {
  /// Every rectangle of targets by itself, eight images at a time where those fill tiles.
  fileprivate var cycles: Double {
    classes.reduce(0) { sum, window in
      window.rectangles.reduce(sum) { $0 + cycles(of: $1, in: window) }
    }
  }

  private func cycles(of rectangle: TapRectangle, in window: WindowClass) -> Double {
    let (x, y) = (rectangle.horizontal.targets.count, rectangle.vertical.targets.count)
    let images = 8
    let axis = TileAxis.best(x: x, y: y, images: images, limit: 14)
    let (rows, lines) =
      switch axis {
      case .x: (x, Double(y))
      case .y: (y, Double(x))
      case .image: (images, Double(x * y) / Double(images))
      }
    let line = tileCycles(
      rows: rows, columns: target.channels, kernelRows: rectangle.vertical.taps.count,
      depth: rectangle.horizontal.taps.count * source.channels, storesNarrow: true)
    return lines * line
  }

  /// Of the forward plan: rows (tap, input channel) of a kernel row, columns output channels, and all
  /// targets of a rectangle as the depth.
  fileprivate var weightGradientCycles: Double {
    classes[0].rectangles.reduce(0) { sum, rectangle in
      let line = tileCycles(
        rows: rectangle.horizontal.taps.count * source.channels, columns: target.channels,
        kernelRows: rectangle.vertical.targets.count, depth: rectangle.horizontal.targets.count)
      return sum + Double(rectangle.vertical.taps.count) * line
    }
  }
}

extension LinePlan {
  fileprivate var cycles: Double {
    let products = lines.reduce(0) {
      $0 + tileCycles(rows: rows, columns: columns, kernelRows: $1.count, depth: depth)
    }
    let target = Double(target.height) * copyCycles(target.rowStride)
    switch form {
    case .grouped: return products + target + Double(source.height) * copyCycles(source.rowStride)
    case .folded:
      let vectors = (columns + 15) / 16
      return products + 2 * target + Double(lines.count * rows * (4 * vectors + 2))
    }
  }
}

extension OutputWindowPlan {
  fileprivate var cycles: Double {
    let products = runs.reduce(0) {
      $0
        + tileCycles(
          rows: $1.taps.count * input.channels, columns: columns, kernelRows: $1.targets.count,
          depth: input.width)
    }
    let windows = Double(output.height) * copyCycles(windowLine)
    let planes = input.channels == 1 ? 0 : 1.5 * Double(input.imageStride)
    return products + windows + planes
  }
}
