import Storage
import Testing

@Suite("Hashes")
struct HashTests {
  // FIPS 180-4 examples; `printf abc | sha256sum` prints the same.
  @Test(
    "SHA-256 gives the published digests",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ])
  func sha(text: String, digest: String) throws {
    #expect(SHA256.hex(of: text) == digest)
    let place = try TemporaryFolder()
    try AtomicFile.write(text, to: place.path(to: "x"))
    #expect(try SHA256.hex(ofFile: place.path(to: "x")) == digest)
  }

  // What a C program of xxHash 0.8.1 prints for XXH3_64bits("abc", 3) and XXH3_128bits("abc", 3).
  @Test("XXH3 gives the library's published values")
  func xxh() {
    let abc = AlignedMemory(copying: Array("abc".utf8))
    #expect(abc.withBlock { $0.hash64 } == 0x78af_5f94_892f_3950)
    let (low, high) = abc.withBlock { $0.hash128 }
    #expect(low == 0x78af_5f94_892f_3950)
    #expect(high == 0x06b0_5ab6_733a_6185)
  }

  @Test("one changed bit anywhere changes the hash of a block of numbers")
  func bits() {
    let numbers = AlignedMemory<Float>(count: 1001)
    numbers.withBlock { block in
      let before = block.hash128
      for index in [0, 500, 1000] {
        block[index] = Float(bitPattern: 1)
        #expect(block.hash128 != before)
        #expect(block.hash64 != before.low)
        block[index] = 0
      }
      #expect(block.hash128 == before)
    }
  }
}
