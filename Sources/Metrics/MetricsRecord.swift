/// A line of `metrics.jsonl`.
package protocol MetricsRecord: Sendable {
  /// Tells the kinds of lines apart.
  static var kind: String { get }
  /// Steps finished when the record was made.
  var step: Int { get }
  /// The record as one JSON object without a line end.
  var jsonText: String { get }
}
