import CVectors
import Randomness

/// Sixteen Philox blocks at once, whose counters differ in the first word: lane i holds the block of
/// `(first + i, rest)`, first a multiple of 16. The same bits as `Philox.block`.
///
/// A 64-bit lane carries two blocks, one in each half, because the processor multiplies 32-bit words
/// to 64 bits only there.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.3.
struct PhiloxLanes {
  typealias Words = SIMD8<UInt64>

  /// The four words of sixteen blocks; a 64-bit lane holds those of two blocks.
  let words: (Words, Words, Words, Words)

  @inline(__always)
  init(_ stream: Philox, first: UInt32, rest: (UInt32, UInt32, UInt32)) {
    let lanes = Words(
      0x1_0000_0000, 0x3_0000_0002, 0x5_0000_0004, 0x7_0000_0006, 0x9_0000_0008, 0xB_0000_000A,
      0xD_0000_000C, 0xF_0000_000E)
    var c0 = lanes &+ Self.both(first)
    var (c1, c2, c3) = (Self.both(rest.0), Self.both(rest.1), Self.both(rest.2))
    var (k0, k1) = (stream.key[0], stream.key[1])
    for _ in 0..<10 {
      let high0 = vectorHighProducts(c0, 0xD251_1F53)
      let low0 = vectorLowProducts(c0, 0xD251_1F53)
      let high2 = vectorHighProducts(c2, 0xCD9E_8D57)
      let low2 = vectorLowProducts(c2, 0xCD9E_8D57)
      c0 = vectorExclusiveOr(high2, c1, Self.both(k0))
      c2 = vectorExclusiveOr(high0, c3, Self.both(k1))
      (c1, c3) = (low2, low0)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    words = (c0, c1, c2, c3)
  }

  @inline(__always)
  private static func both(_ word: UInt32) -> Words {
    Words(repeating: UInt64(word) | UInt64(word) &<< 32)
  }
}
