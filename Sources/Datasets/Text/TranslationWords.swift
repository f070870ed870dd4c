/// What the numbers of a translation mean: tokens of a source, classes of a target.
package struct TranslationWords: Sendable {
  /// The token that stands before a target.
  package let start: Int32
  /// The tokens of a source, letter by letter; nil for a letter that has none.
  package let tokens: @Sendable (_ text: String) -> [Int32?]
  /// What is read where a class was written.
  package let token: @Sendable (_ class: Int) -> Int32
  package let text: @Sendable (_ class: Int) -> String
}

extension DataSource {
  /// nil: the data are no translations, or nobody knows what their numbers mean.
  package var translationWords: TranslationWords? {
    if case .generatedSequences(let spec) = self, spec.kind == .dates {
      return GeneratedDates.words
    }
    return nil
  }
}
