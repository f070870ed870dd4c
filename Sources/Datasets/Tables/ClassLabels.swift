import Diagnostics

/// How the words of a class column become class numbers.
struct ClassLabels: Equatable {
  /// Class number by the word's number; nil: a word that is no class.
  var classes: [Int32?]
  var count: Int
  /// nil when labels are numbers and nobody named them.
  var names: [String]?
  /// Whether labels are class numbers by themselves.
  private var isNumbered: Bool

  /// Whole numbers are their own class; words are numbered in the order of `names`, else sorted.
  ///
  /// - Parameters:
  ///   - words: All words of the class column of all files.
  ///   - trained: How many of them (the first) occur in the training file.
  init(words: [String], trained: Int, names: [String]?, outputs: Int?) {
    let numbers = words.map { wholeNumber($0) }
    isNumbered = !numbers[..<trained].contains(nil)
    if isNumbered {
      let limit = Int32(clamping: outputs ?? Int(Int32.max))
      classes = numbers.map { number in
        number.flatMap { 0 <= $0 && $0 < limit ? Int32($0) : nil }
      }
      count = Int(classes.compactMap { $0 }.max() ?? -1) + 1
      self.names = names
    } else {
      let order = names ?? words[..<trained].sorted()
      classes = words.map { word in order.firstIndex(of: word).map { Int32($0) } }
      count = order.count
      self.names = order
    }
  }
}

/// The integer that `7` or `7.0` spells.
private func wholeNumber(_ word: String) -> Int? {
  let bytes = Array(word.utf8)
  return decimalNumber(bytes, 0..<bytes.count).flatMap { Int(exactly: $0) }
}

extension ClassLabels {
  /// Class numbers of a table's rows.
  ///
  /// - Throws: a `Diagnostic` at the first row whose label is no class.
  func numbers(of table: CSVTable, words: [String], outputs: Int?) throws -> [Int32] {
    let bad = table.labels.indices.filter { classes[Int(table.labels[$0])] == nil }
    guard let first = bad.first else { return table.labels.compactMap { classes[Int($0)] } }
    let word = words[Int(table.labels[first])]
    let place = table.labelPlaces[first]
    let more = bad.count == 1 ? "" : " (and \(bad.count - 1) more)"
    throw Diagnostic(
      place: "\(table.path):\(place.line):\(place.column)",
      problem: "label \"\(word)\" is not a class\(more)", expected: expectation(outputs: outputs),
      remedy: remedy(for: word))
  }

  private func expectation(outputs: Int?) -> String {
    guard isNumbered else {
      return "one of " + (names ?? []).map { "\"\($0)\"" }.joined(separator: ", ")
    }
    guard let outputs else { return "a class number from 0" }
    return "a class number from 0 to \(outputs - 1), since the model has \(outputs) outputs"
  }

  private func remedy(for word: String) -> String {
    guard !isNumbered else {
      return "make the model's last layer as wide as there are classes, or repair the file"
    }
    if let nearest = nearestName(to: word, among: names ?? []) {
      return "did you mean \"\(nearest)\"?"
    }
    return "repair the label, or add rows of that class to the training file"
  }
}
