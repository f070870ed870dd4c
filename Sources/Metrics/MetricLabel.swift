/// What the number beside the loss is called and how it is written.
package struct MetricLabel: Equatable, Sendable {
  /// `accuracy`, `exact match`, `mean absolute error`.
  package var name: String
  /// A share of one, written in percent.
  package var isFraction: Bool

  package init(name: String, isFraction: Bool) {
    self.name = name
    self.isFraction = isFraction
  }

  package static let accuracy = MetricLabel(name: "accuracy", isFraction: true)

  package func text(_ value: Double, digits: Int = 2) -> String {
    isFraction ? percentText(value, digits: digits) : measureText(value)
  }
}
