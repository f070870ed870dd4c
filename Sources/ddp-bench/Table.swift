/// GFLOP/s of one layer in its three directions.
struct Speeds {
  var forward: Double
  var byData: Double
  var byWeights: Double
}

/// The lines of the report.
enum Table {
  static var heading: String {
    padded("", to: 34) + ["forward", "by data", "by weights"].map { right($0, 14) }.joined()
  }

  static func line(_ name: String, _ speeds: Speeds, peak: Double) -> String {
    let figures = [speeds.forward, speeds.byData, speeds.byWeights].map { speed in
      right("\(rounded(speed)) \(right("\(Int((100 * speed / peak).rounded()))%", 4))", 14)
    }
    return padded(name, to: 34) + figures.joined()
  }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

/// One digit behind the point.
func rounded(_ value: Double) -> String {
  let tenths = Int((value * 10).rounded())
  return "\(tenths / 10).\(tenths % 10)"
}
