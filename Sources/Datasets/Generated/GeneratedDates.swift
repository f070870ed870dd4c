import Randomness

/// Dates as people write them, and the same as YYYY-MM-DD: a small translation.
///
/// A sample is the characters of a human form, filled up with 0, then those of the answer shifted right by one behind a
/// start mark, as a decoder reads them while it is taught. Its targets are the answer's ten characters.
///
/// Source: deeplearning.ai, "Sequence models", week 3, neural machine translation with attention (nmt_utils.py).
enum GeneratedDates {
  /// Token 0 is padding, 1 the first of these characters, the last token the start of an answer.
  private static let alphabet = Array("0123456789- /.abcdefghijklmnopqrstuvwxyz".utf8)
  private static let tokens: [UInt8: Int] = Dictionary(
    uniqueKeysWithValues: alphabet.enumerated().map { ($1, $0 + 1) })
  static let vocabulary = alphabet.count + 2
  private static let start = vocabulary - 1

  /// Characters of YYYY-MM-DD.
  static let answerSteps = 10
  /// Digits and "-", the first characters of the alphabet.
  private static let classes = 11
  /// Characters of the longest form, "wednesday september 27 2017".
  static let longest = 27

  static func shape(steps: Int) -> DataShape {
    let names = alphabet.prefix(classes).map { String(decoding: [$0], as: UTF8.self) }
    var shape = DataShape(
      input: [steps + answerSteps],
      target: .classSequence(count: classes, steps: answerSteps, names: names))
    shape.vocabularyCount = vocabulary
    return shape
  }

  /// How people's dates are read and the answers written.
  static let words = TranslationWords(
    start: Int32(start),
    tokens: { text in
      text.lowercased().unicodeScalars.map { letter in
        UInt8(exactly: letter.value).flatMap { tokens[$0] }.map { Int32($0) }
      }
    }, token: { Int32($0 + 1) }, text: { String(decoding: [alphabet[$0]], as: UTF8.self) })

  static func sample(
    steps: Int, _ random: inout RandomNumbers
  ) -> (inputs: [Float], targets: [Float]) {
    let date = CivilDate(day: firstDay + Int(random.uniform() * Double(dayCount)))
    let written = numbers(form(Int(random.uniform() * Double(formCount)), of: date))
    let answer = numbers(date.standard)
    var inputs = written
    inputs += [Float](repeating: 0, count: steps - written.count)
    inputs.append(Float(start))
    inputs += answer.dropLast()
    return (inputs, answer.map { $0 - 1 })
  }

  private static func numbers(_ text: String) -> [Float] {
    text.utf8.map { Float(tokens[$0, default: 0]) }
  }

  // 1969-01-01 to 2068-12-31: years of which two digits say all, as POSIX reads them.
  private static let firstDay = -365
  private static let dayCount = 36_525

  private static let formCount = 9

  /// One of the ways in which people write a date.
  private static func form(_ index: Int, of date: CivilDate) -> String {
    let (year, month, day) = (String(date.year), months[date.month - 1], String(date.day))
    let short = month.prefix(3)
    let twoDigits = (
      year: padded(date.year % 100), month: padded(date.month), day: padded(date.day)
    )
    return switch index {
    case 0: "\(date.month)/\(date.day)/\(twoDigits.year)"
    case 1: "\(twoDigits.day).\(twoDigits.month).\(twoDigits.year)"
    case 2: "\(twoDigits.day) \(twoDigits.month) \(twoDigits.year)"
    case 3: "\(short) \(day) \(year)"
    case 4: "\(month) \(day) \(year)"
    case 5: "\(weekdays[date.weekday]) \(month) \(day) \(year)"
    case 6: "\(day) \(short) \(year)"
    case 7: "\(day) \(month) \(year)"
    default: "\(twoDigits.day) \(short) \(year)"
    }
  }

  private static let months = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
  ]
  private static let weekdays = [
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
  ]
}

/// A day of the Gregorian calendar.
struct CivilDate: Equatable {
  var year: Int
  /// From 1.
  var month: Int
  var day: Int
  /// Sunday is 0.
  var weekday: Int

  /// Source: Hinnant, "chrono-compatible low-level date algorithms", 2013, `civil_from_days`.
  ///
  /// - Parameter day: Days after 1970-01-01, at least -719468.
  init(day: Int) {
    let shifted = day + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    self.day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + 400 * era + (month <= 2 ? 1 : 0)
    // 0000-03-01 was a Wednesday.
    weekday = (shifted + 3) % 7
  }

  /// YYYY-MM-DD
  var standard: String { "\(year)-\(padded(month))-\(padded(day))" }
}

private func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
