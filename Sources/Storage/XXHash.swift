import CXXHash

extension Block {
  /// XXH3, 64 bits, of the block's bytes.
  ///
  /// Source: Y. Collet, xxHash 0.8, `XXH3_64bits`.
  package var hash64: UInt64 {
    // SAFETY: the block holds that many bytes.
    unsafe XXH3_64bits(base, count * MemoryLayout<Element>.stride)
  }

  /// XXH3, 128 bits, of the block's bytes.
  ///
  /// Source: Y. Collet, xxHash 0.8, `XXH3_128bits`.
  package var hash128: (low: UInt64, high: UInt64) {
    // SAFETY: the block holds that many bytes.
    let hash = unsafe XXH3_128bits(base, count * MemoryLayout<Element>.stride)
    return (hash.low64, hash.high64)
  }
}
