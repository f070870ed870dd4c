/// One of the three axes along which targets follow each other.
struct TargetAxis: Equatable, Sendable {
  var count: Int
  /// How far source and target move from one target to the next.
  var sourceStride: Int
  var targetStride: Int
}

/// The axes of a rectangle of targets, in the order in which they are walked: tiles run along `tile`.
struct AxisOrder: Equatable, Sendable {
  var tile: TargetAxis
  var second: TargetAxis
  var third: TargetAxis
}

/// Which axis fills tiles.
package enum TileAxis: Equatable, Sendable {
  case x
  case y
  case image

  /// The first axis that fills tiles well; failing that, the one that fills them best.
  package static func best(x: Int, y: Int, images: Int, limit: Int) -> TileAxis {
    let enough = 0.6 * Double(limit)
    let (meanX, meanY) = (meanTile(x, limit), meanTile(y, limit))
    if meanX >= enough { return .x }
    if meanY >= enough { return .y }
    let meanImage = meanTile(images, limit)
    if meanImage > max(meanX, meanY) { return .image }
    return meanX >= meanY ? .x : .y
  }

  private static func meanTile(_ length: Int, _ limit: Int) -> Double {
    let parts = EvenSplit(length, limit: limit).partCount
    return parts == 0 ? 0 : Double(length) / Double(parts)
  }
}

extension SlidingPlan {
  /// The offsets of a rectangle's first target and of the source under its first valid tap.
  func corner(of rectangle: TapRectangle, _ window: WindowClass, image: Int) -> (
    source: Int, target: Int
  ) {
    let (vertical, horizontal) = (window.vertical, window.horizontal)
    let (y, x) = (rectangle.vertical.targets.lowerBound, rectangle.horizontal.targets.lowerBound)
    let sourceRow =
      vertical.sourceStart + y * vertical.sourceStep
      + rectangle.vertical.taps.lowerBound * vertical.tapStep
    let sourceColumn =
      horizontal.sourceStart + x * horizontal.sourceStep
      + rectangle.horizontal.taps.lowerBound * horizontal.tapStep
    let targetRow = vertical.targetStart + y * vertical.targetStep
    let targetColumn = horizontal.targetStart + x * horizontal.targetStep
    return (
      image * source.imageStride + sourceRow * source.rowStride + sourceColumn * source.channels,
      image * target.imageStride + targetRow * target.rowStride + targetColumn * target.channels
    )
  }

  /// The axes of a rectangle, the tiled one first; the image comes last unless it is tiled.
  func axes(
    of rectangle: TapRectangle, _ window: WindowClass, images: Int, tile: TileAxis
  ) -> AxisOrder {
    let x = TargetAxis(
      count: rectangle.horizontal.targets.count,
      sourceStride: window.horizontal.sourceStep * source.channels,
      targetStride: window.horizontal.targetStep * target.channels)
    let y = TargetAxis(
      count: rectangle.vertical.targets.count,
      sourceStride: window.vertical.sourceStep * source.rowStride,
      targetStride: window.vertical.targetStep * target.rowStride)
    let image = TargetAxis(
      count: images, sourceStride: source.imageStride, targetStride: target.imageStride)
    return switch tile {
    case .x: AxisOrder(tile: x, second: y, third: image)
    case .y: AxisOrder(tile: y, second: x, third: image)
    case .image: AxisOrder(tile: image, second: x, third: y)
    }
  }
}
