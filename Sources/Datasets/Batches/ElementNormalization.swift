import Storage

/// `y = (x - mean) · scale` for each element of a sample, with the statistics laid out per element so
/// that one plain loop serves bytes and floats, images and tables.
struct ElementNormalization<S: BinaryFloatingPoint & BitwiseCopyable & Sendable>: Sendable {
  /// `[E]`
  private let mean: [S]
  /// `[E]`, `1 / deviation`
  private let scale: [S]

  /// - Parameter elements: A multiple of the statistics' channels.
  init(_ statistics: NormalizationStatistics, elements: Int) {
    let channels = statistics.mean.count
    precondition(channels > 0 && elements % channels == 0, "\(elements) by \(channels)")
    mean = (0..<elements).map { S(statistics.mean[$0 % channels]) }
    scale = (0..<elements).map { S(1 / statistics.deviation[$0 % channels]) }
  }

  /// Normalises a whole sample.
  @inline(__always)
  func apply<Element: BatchElement>(
    _ source: UnsafeBufferPointer<Element>, into output: Block<S>
  ) {
    let count = output.count
    precondition(source.count == count && mean.count == count, "\(source.count) into \(count)")
    // SAFETY: all four hold `count` elements, and the output is nobody else's.
    unsafe mean.withUnsafeBufferPointer { mean in
      unsafe scale.withUnsafeBufferPointer { scale in
        let output = unsafe output.base
        for e in 0..<count {
          unsafe output[e] = (source[e].converted(to: S.self) - mean[e]) * scale[e]
        }
      }
    }
  }

  /// Normalises an image that is moved and mirrored on the way; what moves in is a raw zero.
  @inline(__always)
  func apply<Element: BatchElement>(
    _ image: UnsafeBufferPointer<Element>, change: ImageChange, extent: ImageExtent,
    into output: Block<S>
  ) {
    let channels = extent.channels
    let rowCount = extent.width * channels
    precondition(
      image.count == output.count && output.count == extent.height * rowCount,
      "\(image.count) of \(extent) into \(output.count)")
    let step = change.isFlipped ? -1 : 1
    let columns = change.columns(of: extent.width)
    unsafe mean.withUnsafeBufferPointer { mean in
      unsafe scale.withUnsafeBufferPointer { scale in
        for row in 0..<extent.height {
          let source = row + change.down
          let isInside = 0 <= source && source < extent.height
          let inside = isInside ? columns : 0..<0
          let first = source * rowCount + change.sourceColumn(0, of: extent.width) * channels
          for k in 0..<channels {
            // SAFETY: columns of `inside` have their source in the image; the rest reads nothing.
            // Statistics repeat with the channels, so the first pixel's serve all.
            let (target, m, s) = unsafe (output.base + row * rowCount + k, mean[k], scale[k])
            for c in 0..<inside.lowerBound { unsafe target[c &* channels] = -m * s }
            for c in inside {
              let x = unsafe image[first &+ k &+ step &* c &* channels].converted(to: S.self)
              unsafe target[c &* channels] = (x - m) * s
            }
            for c in inside.upperBound..<extent.width { unsafe target[c &* channels] = -m * s }
          }
        }
      }
    }
  }
}
