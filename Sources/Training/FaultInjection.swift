import Diagnostics

/// A fault that a run brings upon itself, to see what follows: for tests and for curious users.
///
/// ```text
/// flip-bit:rank=1,step=20,tensor=layers.0.weight,element=3,bit=12
/// stop:rank=1,step=20,at=compute
/// ```
/// Steps count from 1, as in everything that users see. A run that resumes beyond the step is left in peace;
/// `marker` names a file that says that the fault has happened, so that a restarted run is, too.
package struct FaultInjection: Equatable, Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    /// One bit of one number of the replica changes after the step.
    case flipBit = "flip-bit"
    /// The loader runs in circles for ever.
    case stallLoader = "stall-loader"
    /// The process stops itself (SIGSTOP).
    case stop
    /// The process kills itself (SIGKILL).
    case kill
    /// The process ends without a word, with exit code 1.
    case exit
    /// An error is thrown.
    case throwError = "throw"
  }

  /// Where the fault happens; a bit flips after the step in any case.
  package enum Moment: String, CaseIterable, Sendable {
    /// As soon as the config is read.
    case start
    /// Where the step loads its first samples.
    case data
    /// In the middle of the instructions of a micro-shard.
    case compute
    /// In the first evaluation after the step or later.
    case evaluation
  }

  package let kind: Kind
  package let rank: Int
  package private(set) var moment: Moment
  /// From 1; 0 for `Moment.start`.
  package let step: Int
  /// As an audit calls it; nil: the first parameter.
  package let tensor: String?
  /// Of the tensor, in the order of memory.
  package let element: Int
  /// Of the number, from its lowest.
  package let bit: Int
  /// The path of a file: the fault happens only while there is none, and leaves one.
  package let marker: String?

  /// - Throws: A `DiagnosticList` of everything that is wrong with the text.
  package init(parsing text: String) throws {
    var words = try FaultWords(text)
    let kind = words.kind
    let needsStep = words["at"] != Moment.start.rawValue
    let moment = words.choice("at", among: allowedMoments(kind)) ?? .data
    self.kind = kind ?? .stop
    self.moment = moment
    rank = words.number("rank", in: 0...Int.max, isRequired: true) ?? 0
    step = words.number("step", in: 1...Int.max, isRequired: needsStep) ?? 0
    tensor = words.text("tensor")
    element = words.number("element", in: 0...Int.max) ?? 0
    bit = words.number("bit", in: 0...31) ?? 20
    marker = words.text("marker")
    try words.finish()
  }

  /// Whether the fault is due here.
  func happens(_ moment: Moment, rank: Int, step: Int) -> Bool {
    guard kind != .flipBit, self.moment == moment, self.rank == rank else { return false }
    switch moment {
    case .start: return true
    case .data, .compute: return step == self.step
    case .evaluation: return step >= self.step
    }
  }
}

private func allowedMoments(
  _ kind: FaultInjection.Kind?
) -> [FaultInjection.Moment] {
  switch kind {
  case .flipBit, .stallLoader: [.data]
  // The sink of progress, through which instructions are seen, cannot throw.
  case .throwError: [.start, .data, .evaluation]
  default: FaultInjection.Moment.allCases
  }
}

/// `KIND:key=value,key=value`, taken apart; collects what is wrong with it.
private struct FaultWords {
  private(set) var kind: FaultInjection.Kind?
  private let place: String
  private var values: [(key: String, value: String)] = []
  private var known: [String] = []
  private var faults = DiagnosticList()

  init(_ text: String) throws {
    place = "--inject \(text)"
    let colon = text.firstIndex(of: ":")
    kind = try Self.kind(text[..<(colon ?? text.endIndex)], place: place)
    let rest = colon.map { text[text.index(after: $0)...] } ?? ""
    for word in rest.split(separator: ",") {
      guard let sign = word.firstIndex(of: "=") else {
        faults.append(
          Diagnostic(
            place: place, problem: "\(word) has no = sign", expected: "key=value",
            remedy: "write for example \(kind?.rawValue ?? "stop"):rank=1,step=20"))
        continue
      }
      values.append((String(word[..<sign]), String(word[word.index(after: sign)...])))
    }
  }

  subscript(key: String) -> String? { values.last { $0.key == key }?.value }

  mutating func text(_ key: String) -> String? {
    known.append(key)
    return self[key]
  }

  mutating func number(
    _ key: String, in range: ClosedRange<Int>, isRequired: Bool = false
  ) -> Int? {
    let expected =
      range.upperBound == .max
      ? "a whole number from \(range.lowerBound)"
      : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let text = text(key) else {
      if isRequired {
        faults.append(
          Diagnostic(
            place: place, problem: "\(key) is missing", expected: expected,
            remedy: "add for example \(key)=\(range.lowerBound)"))
      }
      return nil
    }
    if let number = Int(text), range.contains(number) { return number }
    faults.append(
      Diagnostic(
        place: place, problem: "\(key) is \(text)", expected: expected,
        remedy: "use for example \(key)=\(range.lowerBound)"))
    return nil
  }

  mutating func choice<Value: RawRepresentable<String>>(
    _ key: String, among allowed: [Value]
  ) -> Value? {
    guard let text = text(key) else { return nil }
    if let value = allowed.first(where: { $0.rawValue == text }) { return value }
    let names = allowed.map(\.rawValue)
    faults.append(
      Diagnostic(
        place: place, problem: "\(key) is \(text)",
        expected: "one of \(names.joined(separator: ", "))",
        remedy: "use \(key)=\(nearestName(to: text, among: names) ?? names[0])"))
    return nil
  }

  /// Refuses the keys that nobody asked for.
  mutating func finish() throws {
    for (key, _) in values where !known.contains(key) {
      let expected = "one of \(known.joined(separator: ", "))"
      let nearest = nearestName(to: key, among: known)
      faults.append(
        Diagnostic(
          place: place, problem: "unknown key \(key)", expected: expected,
          remedy: nearest.map { "write \($0) instead of \(key)" } ?? "remove \(key)"))
    }
    try faults.throwIfAny()
  }

  private static func kind(
    _ text: Substring, place: String
  ) throws -> FaultInjection.Kind {
    if let kind = FaultInjection.Kind(rawValue: String(text)) { return kind }
    let names = FaultInjection.Kind.allCases.map(\.rawValue)
    let nearest = nearestName(to: String(text), among: names) ?? "stop"
    throw Diagnostic(
      place: place, problem: "unknown fault \(text)",
      expected: "one of \(names.joined(separator: ", "))",
      remedy: "write for example \(nearest):rank=1,step=20")
  }
}
