extension Block {
  /// The same memory seen as bytes.
  package var bytes: Block<UInt8> {
    let byteCount = count * MemoryLayout<Element>.stride
    // SAFETY: the block holds byteCount bytes, and bytes have neither alignment nor invalid values.
    return unsafe Block<UInt8>(
      base: UnsafeMutableRawPointer(base).assumingMemoryBound(to: UInt8.self), count: byteCount)
  }

  /// Calls `body` with the elements as a span.
  package func withSpan<Result>(_ body: (Span<Element>) throws -> Result) rethrows -> Result {
    // SAFETY: base points to count initialised elements that live as long as the call.
    try unsafe body(Span(_unsafeStart: base, count: count))
  }

  /// Fills this block from as many bytes of `source`, which needs no alignment.
  package func copyBytes(from source: Block<UInt8>) {
    precondition(
      source.count == bytes.count, "copy of \(source.count) bytes into \(bytes.count)")
    bytes.copy(from: source)
  }
}

extension Block<UInt8> {
  /// The number that starts `byteOffset` bytes into this block, in the processor's byte order.
  package func load<Number: BitwiseCopyable>(_ type: Number.Type, at byteOffset: Int) -> Number {
    let end = byteOffset + MemoryLayout<Number>.size
    precondition(0 <= byteOffset && end <= count, "bytes \(byteOffset)..<\(end) of \(count)")
    // SAFETY: the bytes lie inside the block; loadUnaligned asks for no alignment.
    return unsafe UnsafeRawPointer(base).loadUnaligned(fromByteOffset: byteOffset, as: Number.self)
  }

  /// The same memory seen as numbers, or nil when it is not aligned for them or ends inside one.
  package func elements<Number: BitwiseCopyable>(_ type: Number.Type) -> Block<Number>? {
    let isAligned = unsafe UInt(bitPattern: base) % UInt(MemoryLayout<Number>.alignment) == 0
    guard isAligned, count % MemoryLayout<Number>.stride == 0 else { return nil }
    let length = count / MemoryLayout<Number>.stride
    // SAFETY: aligned, and the block holds length numbers.
    return unsafe Block<Number>(
      base: UnsafeMutableRawPointer(base).assumingMemoryBound(to: Number.self), count: length)
  }
}
