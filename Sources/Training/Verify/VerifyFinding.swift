import Metrics

/// One proof of `ddp-train verify`.
package enum VerifyCheck: String, CaseIterable, Sendable {
  /// Labels within the classes, tokens within the vocabulary, finite numbers.
  case data
  /// The first loss is about that of a network that knows nothing; everything is finite.
  case start
  /// Gradients against central differences.
  case gradients
  /// Every parameter gets a gradient.
  case flow
  /// A model of next tokens does not see them.
  case lookahead
  /// A window goes on where the window before it ended.
  case carry
  /// The sum over ranks has the bits of one rank's.
  case ranks
  /// One batch can be learned by heart, and everything that should move moves.
  case overfit
  /// Save, load and one step equal two steps.
  case resume
  /// The same input gives the same output.
  case `repeat`
}

/// What a proof has found.
package struct VerifyFinding: Equatable, Sendable {
  package var check: VerifyCheck
  package var passed: Bool
  package var text: String

  package init(_ check: VerifyCheck, passed: Bool, _ text: String) {
    self.check = check
    self.passed = passed
    self.text = text
  }

  package var line: String {
    let width = VerifyCheck.allCases.map(\.rawValue.count).max() ?? 0
    return "\(passed ? "ok    " : "FAILED")  \(padded(check.rawValue, to: width, .left))  \(text)"
  }
}

/// Names for a sentence, the first few of many.
func shortList(_ names: [String], most: Int = 4) -> String {
  guard names.count > most else { return names.joined(separator: ", ") }
  return names.prefix(most).joined(separator: ", ") + " and \(names.count - most) more"
}
