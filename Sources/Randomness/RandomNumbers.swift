/// A sequence of random numbers drawn from one Philox stream, starting at a counter.
///
/// For work outside the training step: initial weights, generated data sets, splits.
package struct RandomNumbers: RandomNumberGenerator, Sendable {
  private let stream: Philox
  private let major: UInt64
  private var minor: UInt64 = 0
  private var spare: UInt64?

  package init(seed: UInt64, purpose: String, index: UInt64 = 0) {
    stream = Philox(seed: seed, purpose: purpose)
    major = index
  }

  package mutating func next() -> UInt64 {
    if let word = spare {
      spare = nil
      return word
    }
    let bits = stream.block(major: major, minor: minor)
    minor += 1
    spare = UInt64(bits[2]) | UInt64(bits[3]) << 32
    return UInt64(bits[0]) | UInt64(bits[1]) << 32
  }

  /// Uniform on [0, 1), a multiple of 2^-53.
  package mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }
}
