/// One fault of the user's (config, data, launch, checkpoint), in four parts:
/// where it is, what is wrong, what was expected, how to repair it.
///
/// ```text
/// mnist.yaml:3:10: global batch 30 cannot be split evenly into 8 shards
///   expected: a multiple of 8, so that every shard has the same shape
///   to fix:   use 32, or set training.shards to a divisor of 30
/// ```
package struct Diagnostic: Error, Equatable, Sendable, CustomStringConvertible {
  /// `file:line:column`, a path with a byte offset, a layer's path, or a command-line argument.
  package var place: String
  package var problem: String
  package var expected: String?
  package var remedy: String?

  package init(
    place: String, problem: String, expected: String? = nil, remedy: String? = nil
  ) {
    self.place = place
    self.problem = problem
    self.expected = expected
    self.remedy = remedy
  }

  package var description: String {
    var text = "\(place): \(problem)"
    if let expected { text += "\n  expected: \(expected)" }
    if let remedy { text += "\n  to fix:   \(remedy)" }
    return text
  }
}
