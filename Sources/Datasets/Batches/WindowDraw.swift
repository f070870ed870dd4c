import Randomness

/// Random windows: a pure function of seed, epoch and the sample's number, so that any rank count sees the same and a
/// resume in the middle of an epoch just asks for them.
package struct WindowDraw: Sendable {
  /// Rows at which a window can start.
  package let starts: Int
  private let stream: Philox

  package init(starts: Int, seed: UInt64) {
    precondition(starts > 0, "no row to start at")
    self.starts = starts
    stream = Philox(seed: seed, purpose: "data.windows")
  }

  /// The row at which a sample of an epoch starts, uniform on `0..<starts`.
  ///
  /// The upper half of a 64-bit number times `starts`: off from uniform by less than `starts / 2^64`.
  package func start(epoch: Int, sample: Int) -> Int {
    let bits = stream.block(major: UInt64(epoch), minor: UInt64(sample))
    let word = UInt64(bits[0]) << 32 | UInt64(bits[1])
    return Int(word.multipliedFullWidth(by: UInt64(starts)).high)
  }
}
