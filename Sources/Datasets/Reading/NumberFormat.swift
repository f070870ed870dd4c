/// How one number of an array file is stored.
struct NumberFormat: Equatable {
  enum Kind { case unsigned, signed, float }

  var kind: Kind
  var byteCount: Int
  var isBigEndian: Bool

  var isByte: Bool { kind == .unsigned && byteCount == 1 }

  /// The number that starts at `offset` of `bytes`.
  @inline(__always)
  func number(in bytes: [UInt8], at offset: Int) -> Double {
    var word: UInt64 = 0
    for index in 0..<byteCount {
      let shift = 8 * (isBigEndian ? byteCount - 1 - index : index)
      word |= UInt64(bytes[offset + index]) << UInt64(shift)
    }
    return number(ofBits: word)
  }

  private func number(ofBits word: UInt64) -> Double {
    switch kind {
    case .unsigned: return Double(word)
    case .signed:
      let unused = UInt64(64 - 8 * byteCount)
      return Double(Int64(bitPattern: word << unused) >> Int64(unused))
    case .float where byteCount == 4:
      return Double(Float(bitPattern: UInt32(truncatingIfNeeded: word)))
    case .float: return Double(bitPattern: word)
    }
  }
}
