import Randomness

/// Rows, columns and channels of an image, channels last.
package struct ImageExtent: Equatable, Sendable {
  package var height: Int
  package var width: Int
  package var channels: Int

  /// nil when a sample of this shape is no image.
  package init?(shape: [Int]) {
    guard shape.count == 2 || shape.count == 3 else { return nil }
    height = shape[0]
    width = shape[1]
    channels = shape.count == 3 ? shape[2] : 1
  }
}

/// Where the pixels of one changed image come from.
package struct ImageChange: Equatable, Sendable {
  /// Output row `r` shows the image's row `r + down`.
  package var down: Int
  /// Output column `c` shows the image's column `c + right`, counted from the right if flipped.
  package var right: Int
  package var isFlipped: Bool

  package init(down: Int, right: Int, isFlipped: Bool) {
    self.down = down
    self.right = right
    self.isFlipped = isFlipped
  }

  /// Output columns that show a column of the image.
  func columns(of width: Int) -> Range<Int> {
    let lower = min(max(0, -right), width)
    return lower..<max(lower, min(width, width - right))
  }

  /// The leftmost column of the image that is shown; the others follow, to be mirrored if flipped.
  func firstSourceColumn(of width: Int) -> Int {
    let columns = columns(of: width)
    return isFlipped ? width - columns.upperBound - right : columns.lowerBound + right
  }
}

/// Random mirroring and shifting, a pure function of seed, epoch and the sample's number in its file.
package struct ImageAugmentation: Sendable {
  package let spec: AugmentSpec
  package let extent: ImageExtent
  private let stream: Philox

  package init(spec: AugmentSpec, extent: ImageExtent, seed: UInt64) {
    self.spec = spec
    self.extent = extent
    stream = Philox(seed: seed, purpose: "data.augment")
  }

  package func change(epoch: Int, sample: Int) -> ImageChange {
    let bits = stream.block(major: UInt64(epoch), minor: UInt64(sample))
    return ImageChange(
      down: shift(bits[0]), right: shift(bits[1]),
      isFlipped: spec.flipHorizontal && bits[2] & 1 == 1)
  }

  /// Uniform on `-shift...shift`.
  private func shift(_ bits: UInt32) -> Int {
    let choices = UInt64(2 * spec.shift + 1)
    return Int((UInt64(bits) * choices) >> 32) - spec.shift
  }
}
