import Randomness

/// The order in which an epoch visits `count` samples: a permutation that can be entered anywhere.
///
/// A balanced Feistel network permutes the next power of four, a position whose image lies outside
/// `0..<count` walks on until it is inside (at most four rounds on average). No table, no state: a
/// resume in the middle of an epoch just asks for its positions.
///
/// Source: Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002, sections 4 and 5.
package struct EpochOrder: SampleOrder {
  package let count: Int
  private let halfBits: UInt32
  private let mask: UInt32
  private let keys: SIMD8<UInt32>

  /// - Parameters:
  ///   - count: At most 2^32 samples.
  ///   - epoch: From 0.
  ///   - purpose: Another one is another permutation.
  package init(
    count: Int, seed: UInt64, epoch: Int, purpose: String = "data.epoch_order"
  ) {
    precondition((0...(1 << 32)).contains(count), "\(count) samples")
    self.count = count
    let bits = Int.bitWidth - max(count - 1, 1).leadingZeroBitCount
    halfBits = UInt32((bits + 1) / 2)
    mask = (1 << halfBits) - 1
    let stream = Philox(seed: seed, purpose: purpose)
    let low = stream.block(major: UInt64(epoch), minor: 0)
    let high = stream.block(major: UInt64(epoch), minor: 1)
    keys = SIMD8(lowHalf: low, highHalf: high)
  }

  /// The sample that stands at `position` of the epoch.
  package func sample(at position: Int) -> Int {
    precondition((0..<count).contains(position), "position \(position) of \(count)")
    var word = UInt64(position)
    repeat { word = permuted(word) } while word >= UInt64(count)
    return Int(word)
  }

  @inline(__always)
  private func permuted(_ word: UInt64) -> UInt64 {
    var left = UInt32(truncatingIfNeeded: word >> UInt64(halfBits))
    var right = UInt32(truncatingIfNeeded: word) & mask
    for round in 0..<8 {
      (left, right) = (right, left ^ (scrambled(right &+ keys[round]) & mask))
    }
    return UInt64(left) << UInt64(halfBits) | UInt64(right)
  }

  /// The finaliser of MurmurHash3, 32 bits.
  @inline(__always)
  private func scrambled(_ word: UInt32) -> UInt32 {
    var h = word
    h = (h ^ (h >> 16)) &* 0x85EB_CA6B
    h = (h ^ (h >> 13)) &* 0xC2B2_AE35
    return h ^ (h >> 16)
  }
}
