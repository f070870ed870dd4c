/// The form in which gradients travel between hosts.
package enum WireFormat: String, CaseIterable, Sendable {
  /// As they are.
  case float32
  /// The upper half of a Float: its range, 8 significant bits.
  case bfloat16
  /// IEEE 754 binary16: 11 significant bits, for numbers within 2^-24 to 2^15 after scaling.
  case float16

  /// Whether numbers are rounded on the way.
  package var isRounded: Bool { self != .float32 }
}

/// How one number becomes 16 bits and back.
protocol WireCode {
  /// The nearest number of the format; of two, the one whose last bit is 0. What is not finite stays so.
  static func code(_ number: Float) -> UInt16
  static func number(_ code: UInt16) -> Float
}

enum BFloat16Code: WireCode {
  @inline(__always)
  static func code(_ number: Float) -> UInt16 {
    let bits = number.bitPattern
    // Just under half of the last bit that stays, or just half where that bit is 1, carries into it.
    let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
    // A carry would make infinity or zero of some that are not a number.
    let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
    return UInt16(truncatingIfNeeded: isNaN ? bits >> 16 | 0x40 : rounded)
  }

  @inline(__always)
  static func number(_ code: UInt16) -> Float { Float(bitPattern: UInt32(code) << 16) }
}

enum Float16Code: WireCode {
  @inline(__always)
  static func code(_ number: Float) -> UInt16 { Float16(number).bitPattern }

  @inline(__always)
  static func number(_ code: UInt16) -> Float { Float(Float16(bitPattern: code)) }
}
