/// `y = (x - mean) · scale` for each element of a sample, with the statistics laid out per element so
/// that one plain loop serves bytes and floats, images and tables.
struct ElementNormalization<S: BinaryFloatingPoint & BitwiseCopyable & Sendable>: Sendable {
  /// `[E]`
  private let mean: [S]
  /// `[E]`, `1 / deviation`
  private let scale: [S]

  /// - Parameter elements: A multiple of the statistics' channels.
  init(_ statistics: NormalizationStatistics, elements: Int) {
    self.init(mean: statistics.mean, deviation: statistics.deviation, elements: elements)
  }

  init(mean: [Double], deviation: [Double], elements: Int) {
    let channels = mean.count
    precondition(channels > 0 && elements % channels == 0, "\(elements) by \(channels)")
    self.mean = (0..<elements).map { S(mean[$0 % channels]) }
    scale = (0..<elements).map { S(1 / deviation[$0 % channels]) }
  }

  /// Normalises a sample, or as much of its beginning as the output has room for.
  @inline(__always)
  func apply<Element: BatchElement>(
    _ source: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<S>
  ) {
    unsafe apply(source, from: 0, to: 0..<output.count, of: output)
  }

  /// Normalises an image that is moved and mirrored on the way; what moves in is a raw zero.
  @inline(__always)
  func apply<Element: BatchElement>(
    _ image: UnsafeBufferPointer<Element>, change: ImageChange, extent: ImageExtent,
    into output: UnsafeMutableBufferPointer<S>
  ) {
    let rowCount = extent.width * extent.channels
    precondition(
      image.count == output.count && output.count == extent.height * rowCount,
      "\(image.count) of \(extent) into \(output.count)")
    let columns = change.columns(of: extent.width)
    let first = change.firstSourceColumn(of: extent.width) * extent.channels
    let inside = columns.lowerBound * extent.channels..<columns.upperBound * extent.channels
    for row in 0..<extent.height {
      let target = unsafe UnsafeMutableBufferPointer(
        rebasing: output[row * rowCount..<(row + 1) * rowCount])
      let source = row + change.down
      guard 0 <= source, source < extent.height else {
        unsafe applyToZeros(0..<rowCount, of: target)
        continue
      }
      unsafe applyToZeros(0..<inside.lowerBound, of: target)
      unsafe apply(image, from: source * rowCount + first, to: inside, of: target)
      unsafe applyToZeros(inside.upperBound..<rowCount, of: target)
      if change.isFlipped { unsafe mirror(columns, channels: extent.channels, of: target) }
    }
  }

  /// Fills the elements `range` of a row. Statistics repeat with the channels and pixels are whole, so
  /// those of the image's first row serve all.
  @inline(__always)
  private func apply<Element: BatchElement>(
    _ source: UnsafeBufferPointer<Element>, from start: Int, to range: Range<Int>,
    of row: UnsafeMutableBufferPointer<S>
  ) {
    precondition(start >= 0 && start + range.count <= source.count, "\(start) of \(source.count)")
    precondition(range.upperBound <= row.count && row.count <= mean.count, "\(range) of a row")
    guard let output = row.baseAddress, let input = source.baseAddress else { return }
    // SAFETY: checked above for the source, the row and the statistics.
    unsafe mean.withUnsafeBufferPointer { mean in
      unsafe scale.withUnsafeBufferPointer { scale in
        let (output, input) = unsafe (output + range.lowerBound, input + start)
        for e in 0..<range.count {
          unsafe output[e] = (input[e].converted(to: S.self) - mean[e]) * scale[e]
        }
      }
    }
  }

  @inline(__always)
  private func applyToZeros(_ range: Range<Int>, of row: UnsafeMutableBufferPointer<S>) {
    // SAFETY: callers' ranges lie in the row, which is no longer than the statistics.
    unsafe mean.withUnsafeBufferPointer { mean in
      unsafe scale.withUnsafeBufferPointer { scale in
        for e in range { unsafe row[e] = -mean[e] * scale[e] }
      }
    }
  }

  /// Reverses the order of the pixels `columns`.
  @inline(__always)
  private func mirror(
    _ columns: Range<Int>, channels: Int, of row: UnsafeMutableBufferPointer<S>
  ) {
    var left = columns.lowerBound
    var right = columns.upperBound - 1
    while left < right {
      for channel in 0..<channels {
        // SAFETY: the columns lie in the row.
        unsafe row.swapAt(left &* channels &+ channel, right &* channels &+ channel)
      }
      left += 1
      right -= 1
    }
  }
}
