/// Philox 4x32-10: a block cipher on a counter, so the n-th random number costs the same as the first.
///
/// Randomness in a run is a pure function of a key (seed and purpose) and a counter (step, sample,
/// element); it never depends on the rank, the clock or a thread.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.3.
package struct Philox: Sendable {
  package let key: SIMD2<UInt32>

  /// A stream named by the run's seed and what the numbers are for.
  package init(seed: UInt64, purpose: String) {
    let mixed = mixBits(seed ^ hashText(purpose))
    key = SIMD2(UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
  }

  /// A stream with exactly this key, for reference vectors.
  package init(key: SIMD2<UInt32>) {
    self.key = key
  }

  /// The 128 random bits that belong to `counter`.
  @inlinable @inline(__always)
  package func block(_ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let a = UInt64(c[0]) &* 0xD251_1F53
      let b = UInt64(c[2]) &* 0xCD9E_8D57
      c = SIMD4(
        UInt32(truncatingIfNeeded: b >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: a))
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }

  /// The bits at (`major`, `minor`): for example (step, element) or (epoch, sample).
  @inlinable @inline(__always)
  package func block(major: UInt64, minor: UInt64) -> SIMD4<UInt32> {
    block(
      SIMD4(
        UInt32(truncatingIfNeeded: minor), UInt32(truncatingIfNeeded: minor >> 32),
        UInt32(truncatingIfNeeded: major), UInt32(truncatingIfNeeded: major >> 32)))
  }
}

/// The finaliser of SplitMix64: a bijection of 64-bit words in which every input bit reaches every output bit.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, figure 16.
package func mixBits(_ word: UInt64) -> UInt64 {
  var z = word &+ 0x9E37_79B9_7F4A_7C15
  z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
  return z ^ (z >> 31)
}

/// FNV-1a of the text's UTF-8 bytes: the same on every machine, unlike `Hasher`.
///
/// Source: Fowler, Noll, Vo, draft-eastlake-fnv, section 2.
package func hashText(_ text: String) -> UInt64 {
  text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
}
