/// The number that `bytes[range]` spells in decimal, or nil.
///
/// Up to 15 digits with a decimal exponent within ±22 are exact by one multiplication or division;
/// the rest goes the slow way. Both round to nearest.
///
/// Source: Clinger, "How to read floating point numbers accurately", PLDI 1990, section 5.
package func decimalNumber(_ bytes: [UInt8], _ range: Range<Int>) -> Double? {
  var position = range.lowerBound
  var isNegative = false
  if position < range.upperBound, bytes[position] == 0x2D || bytes[position] == 0x2B {
    isNegative = bytes[position] == 0x2D
    position += 1
  }
  var digits = 0
  var fraction = 0
  var mantissa: UInt64 = 0
  var isAfterPoint = false
  while position < range.upperBound {
    let byte = bytes[position]
    if byte == 0x2E, !isAfterPoint {
      isAfterPoint = true
    } else if byte >= 0x30, byte <= 0x39, digits < 15 {
      mantissa = mantissa * 10 + UInt64(byte - 0x30)
      digits += 1
      if isAfterPoint { fraction += 1 }
    } else {
      return slowNumber(bytes, range)
    }
    position += 1
  }
  guard digits > 0 else { return nil }
  let magnitude = Double(mantissa) / powersOfTen[fraction]
  return isNegative ? -magnitude : magnitude
}

private let powersOfTen: [Double] = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
]

/// Exponents, many digits, `nan` and `inf`; no hexadecimal.
private func slowNumber(_ bytes: [UInt8], _ range: Range<Int>) -> Double? {
  let text = String(decoding: bytes[range], as: UTF8.self)
  return text.contains { $0 == "x" || $0 == "X" || $0 == "p" || $0 == "(" } ? nil : Double(text)
}
