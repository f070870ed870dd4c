/// Which numbers a key takes.
struct Bounds<Number: Comparable & CustomStringConvertible> {
  enum Limit {
    case closed(Number)
    case open(Number)
  }

  var lower: Limit?
  var upper: Limit?

  static var any: Bounds { Bounds() }
  static func atLeast(_ lower: Number) -> Bounds { Bounds(lower: .closed(lower)) }
  static func above(_ lower: Number) -> Bounds { Bounds(lower: .open(lower)) }
  static func from(_ lower: Number, to upper: Number) -> Bounds {
    Bounds(lower: .closed(lower), upper: .closed(upper))
  }
  static func from(_ lower: Number, below upper: Number) -> Bounds {
    Bounds(lower: .closed(lower), upper: .open(upper))
  }
  static func above(_ lower: Number, to upper: Number) -> Bounds {
    Bounds(lower: .open(lower), upper: .closed(upper))
  }
  static func between(_ lower: Number, _ upper: Number) -> Bounds {
    Bounds(lower: .open(lower), upper: .open(upper))
  }

  func contains(_ number: Number) -> Bool {
    let isAbove =
      switch lower {
      case .closed(let limit): number >= limit
      case .open(let limit): number > limit
      case nil: true
      }
    let isBelow =
      switch upper {
      case .closed(let limit): number <= limit
      case .open(let limit): number < limit
      case nil: true
      }
    return isAbove && isBelow
  }

  /// `, at least 0 and below 1`
  var description: String {
    var parts: [String] = []
    switch lower {
    case .closed(let limit): parts.append("at least \(limit)")
    case .open(let limit): parts.append("above \(limit)")
    case nil: break
    }
    switch upper {
    case .closed(let limit): parts.append("at most \(limit)")
    case .open(let limit): parts.append("below \(limit)")
    case nil: break
    }
    return parts.isEmpty ? "" : ", " + parts.joined(separator: " and ")
  }
}

extension Format where Value: FixedWidthInteger {
  static func wholeNumber(_ bounds: Bounds<Value> = .any, example: Value) -> Format {
    let expectation = "a whole number\(bounds.description)"
    return Format(
      expectation: expectation, example: "\(example)",
      read: { node, path, faults in
        if let text = node.numberText, let number = Value(text), bounds.contains(number) {
          return number
        }
        faults.mismatch(node, path, expected: expectation, example: "\(example)")
        return nil
      },
      write: { .plain("\($0)") })
  }
}

extension Format where Value == Double {
  static func number(_ bounds: Bounds<NumberText> = .any, example: Double) -> Format {
    let expectation = "a number\(bounds.description)"
    let example = NumberText(example).description
    return Format(
      expectation: expectation, example: example,
      read: { node, path, faults in
        if let number = node.numberText.flatMap(parseNumber), bounds.contains(NumberText(number)) {
          return number
        }
        faults.mismatch(node, path, expected: expectation, example: example)
        return nil
      },
      write: { .plain(NumberText($0).description) })
  }
}

/// A number as the configuration writes it: the shortest text that reads back as the same bits,
/// whole numbers without a point.
struct NumberText: Comparable, CustomStringConvertible, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral
{
  let value: Double

  init(_ value: Double) { self.value = value }
  init(integerLiteral value: Int) { self.value = Double(value) }
  init(floatLiteral value: Double) { self.value = value }

  var description: String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  static func < (left: NumberText, right: NumberText) -> Bool { left.value < right.value }
}
