import Foundation

// How numbers are written for people: the same quantity looks the same in every table and line.

/// `1234567` as `1,234,567`.
package func groupedDigits(_ number: Int) -> String {
  let digits = Array(String(number.magnitude))
  var text = number < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0 && (digits.count - index).isMultiple(of: 3) { text.append(",") }
    text.append(digit)
  }
  return text
}

/// A count in three significant digits: `950`, `1.23k`, `45.6M`, `7.89G`.
package func shortCount(_ count: Double) -> String {
  let scaled = scaledByThousands(count)
  return "\(scaled.digits)\(scaled.prefix)"
}

/// Floating-point operations, a fused multiply-add being two: `4.50 MFLOP`.
package func operationCountText(_ count: Double) -> String {
  let scaled = scaledByThousands(count)
  return "\(scaled.digits) \(scaled.prefix.uppercased())FLOP"
}

/// Bytes in powers of 1000, as disks and networks are sold: `12.3 MB`.
package func byteCountText(_ count: Int) -> String {
  let scaled = scaledByThousands(Double(count))
  return "\(scaled.digits) \(scaled.prefix)B"
}

/// `0:05`, `12:34`, `1:02:03`; rounded to whole seconds.
package func clockText(_ duration: Duration) -> String {
  let seconds = max(0, Int(duration.seconds.rounded()))
  let minutes = seconds / 60
  let tail = minutes >= 60 ? ":\(twoDigits(minutes % 60))" : ""
  let head = minutes >= 60 ? minutes / 60 : minutes
  return "\(head)\(tail):\(twoDigits(seconds % 60))"
}

/// A fraction of one as percent: `0.92124` is `92.12%`.
package func percentText(_ fraction: Double, digits: Int = 2) -> String {
  fixedPoint(fraction * 100, digits: digits) + "%"
}

package func fixedPoint(_ number: Double, digits: Int) -> String {
  String(format: "%.\(digits)f", number)
}

/// A loss or another number of unknown size: `0.4321`, `12.5000`, `3.210e-05`, `nan`.
package func measureText(_ number: Double) -> String {
  let magnitude = number.magnitude
  let isHandy = number == 0 || (0.001..<10_000).contains(magnitude) || !number.isFinite
  return isHandy ? fixedPoint(number, digits: 4) : String(format: "%.3e", number)
}

extension Duration {
  /// The length in seconds, for arithmetic and records.
  package var seconds: Double { self / .seconds(1) }
}

private func twoDigits(_ number: Int) -> String {
  number < 10 ? "0\(number)" : "\(number)"
}

/// Three significant digits and the prefix of the largest power of 1000 that leaves at least one.
private func scaledByThousands(_ number: Double) -> (digits: String, prefix: String) {
  guard number.isFinite else { return ("\(number)", "") }
  var rest = number
  var prefixes = ["", "k", "M", "G", "T", "P", "E"][...]
  // 999.5 would be written 1000 with three digits: it belongs to the next prefix.
  while rest.magnitude >= 999.5 && prefixes.count > 1 {
    rest /= 1000
    prefixes.removeFirst()
  }
  let isWholeCount = prefixes.count == 7 && rest == rest.rounded()
  let digits = isWholeCount ? 0 : rest.magnitude >= 99.95 ? 0 : rest.magnitude >= 9.995 ? 1 : 2
  return (fixedPoint(rest, digits: digits), prefixes[prefixes.startIndex])
}
