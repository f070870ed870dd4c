import Randomness

/// Sixteen Philox blocks at once, whose counters differ in the first word: lane i holds the block of
/// `(first + i, rest)`. The same bits as `Philox.block`.
///
/// A 64-bit lane carries two blocks, one in each half, because the processor multiplies 32-bit words
/// to 64 bits only there.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.3.
struct PhiloxLanes {
  typealias Words = SIMD8<UInt64>

  let words: (SIMD16<UInt32>, SIMD16<UInt32>, SIMD16<UInt32>, SIMD16<UInt32>)

  @inline(__always)
  init(_ stream: Philox, first: UInt32, rest: (UInt32, UInt32, UInt32)) {
    let lanes = SIMD16<UInt32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    var c0 = unsafeBitCast(lanes &+ SIMD16(repeating: first), to: Words.self)
    var c1 = Self.both(rest.0)
    var c2 = Self.both(rest.1)
    var c3 = Self.both(rest.2)
    var (k0, k1) = (stream.key[0], stream.key[1])
    for _ in 0..<10 {
      let a = Self.product(c0, 0xD251_1F53)
      let b = Self.product(c2, 0xCD9E_8D57)
      c0 = b.high ^ c1 ^ Self.both(k0)
      c1 = b.low
      c2 = a.high ^ c3 ^ Self.both(k1)
      c3 = a.low
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    words = (Self.lanes(c0), Self.lanes(c1), Self.lanes(c2), Self.lanes(c3))
  }

  /// The halves of sixteen products of 32-bit words.
  @inline(__always)
  private static func product(_ x: Words, _ factor: UInt64) -> (high: Words, low: Words) {
    let lowHalf = Words(repeating: 0xFFFF_FFFF)
    let even = (x & lowHalf) &* Words(repeating: factor)
    let odd = (x &>> 32) &* Words(repeating: factor)
    return (
      (even &>> 32) | (odd & Words(repeating: 0xFFFF_FFFF_0000_0000)),
      (even & lowHalf) | (odd &<< 32)
    )
  }

  @inline(__always)
  private static func both(_ word: UInt32) -> Words {
    Words(repeating: UInt64(word) | UInt64(word) &<< 32)
  }

  @inline(__always)
  private static func lanes(_ words: Words) -> SIMD16<UInt32> {
    unsafeBitCast(words, to: SIMD16<UInt32>.self)
  }
}
