import Randomness
import Testing

@Suite("Philox")
struct PhiloxTests {
  /// Known answers of the Random123 distribution 1.14, file `tests/kat_vectors`, lines `philox4x32 10`.
  static let known: [(counter: [UInt32], key: [UInt32], bits: [UInt32])] = [
    (
      [0, 0, 0, 0], [0, 0],
      [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
    ),
    (
      [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
      [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
    ),
    (
      [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
      [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
    ),
  ]

  @Test("the bits are those of the reference implementation", arguments: known)
  func knownAnswers(counter: [UInt32], key: [UInt32], bits: [UInt32]) {
    #expect(Philox(key: SIMD2(key)).block(SIMD4(counter)) == SIMD4(bits))
  }

  @Test("the short form of a counter puts the fast index into the low words")
  func counterWords() {
    let stream = Philox(seed: 3, purpose: "test")
    let whole = stream.block(SIMD4(0x9abc_def0, 0x1234_5678, 0x7654_3210, 0xfedc_ba98))
    #expect(
      stream.block(major: 0xfedc_ba98_7654_3210, minor: 0x1234_5678_9abc_def0) == whole)
  }

  @Test("seed and purpose both choose the stream")
  func streamsDiffer() {
    let counter = SIMD4<UInt32>(1, 2, 3, 4)
    let bits = [(1, "a"), (2, "a"), (1, "b")].map { seed, purpose in
      Philox(seed: seed, purpose: purpose).block(counter)
    }
    #expect(bits[0] != bits[1] && bits[0] != bits[2] && bits[1] != bits[2])
  }

  @Test("the hash of a text is FNV-1a")
  func textHash() {
    // Test vectors of draft-eastlake-fnv-17, appendix C.
    #expect(hashText("") == 0xcbf2_9ce4_8422_2325)
    #expect(hashText("a") == 0xaf63_dc4c_8601_ec8c)
    #expect(hashText("foobar") == 0x8594_4171_f739_67e8)
  }

  @Test("the mixer is SplitMix64's")
  func mixer() {
    // First outputs of SplitMix64 with seed 0: the state grows by the golden ratio at each call.
    #expect(mixBits(0) == 0xe220_a839_7b1d_cdaf)
    #expect(mixBits(0x9e37_79b9_7f4a_7c15) == 0x6e78_9e6a_a1b9_65f4)
  }
}
