import Diagnostics
import Graph

/// The constants of one parameter: the spec's, less what its kind is spared, with its groups' exceptions.
package struct ParameterHyper: Equatable, Sendable {
  package var learningRateFactor = 1.0
  package var weightDecay = 0.0
  package var l2 = 0.0
  package var l1 = 0.0
  /// Whether LARS or LAMB scales its steps by a ratio of norms.
  package var isLayerwise = false

  package init() {}
}

extension OptimizerSpec {
  /// The spec's decay and penalties for weights, none for biases and norms (unless
  /// `decaysBiasesAndNorms`), and ratios of norms likewise (unless `adaptsBiasesAndNorms`); then
  /// whatever the matching groups set, in their order.
  package func hyper(of name: String, kind: ParameterKind) -> ParameterHyper {
    var hyper = ParameterHyper()
    if kind == .weight || decaysBiasesAndNorms {
      hyper.weightDecay = weightDecay
      hyper.l2 = l2
      hyper.l1 = l1
    }
    hyper.isLayerwise = rule.isLayerwise && (kind == .weight || adaptsBiasesAndNorms)
    for group in groups where group.matches(name) {
      hyper.learningRateFactor = group.learningRateFactor ?? hyper.learningRateFactor
      hyper.weightDecay = group.weightDecay ?? hyper.weightDecay
      hyper.l2 = group.l2 ?? hyper.l2
      hyper.l1 = group.l1 ?? hyper.l1
    }
    return hyper
  }

  /// One diagnostic for each group that no parameter's name matches.
  ///
  /// - Parameter place: Where the optimizer stands in the config.
  package func unmatchedGroups(among names: [String], place: String) -> [Diagnostic] {
    groups.enumerated().filter { !names.contains(where: $0.element.matches) }.map { index, group in
      Diagnostic(
        place: place,
        problem: "optimizer.groups.\(index) matches no parameter: `\(group.match)`",
        expected: "whole words of a parameter's name, such as `\(names.first ?? "bias")`",
        remedy: "use `*` for any run of characters, or remove the group")
    }
  }
}

extension ParameterGroupSpec {
  /// Whether `match` occurs in `name` between dots or ends.
  package func matches(_ name: String) -> Bool {
    Wildcard(pattern: "*.\(match).*").matches(".\(name).")
  }
}

/// A pattern for whole texts in which `*` stands for any run of bytes.
struct Wildcard {
  private let pattern: [UInt8]

  init(pattern: String) {
    self.pattern = Array(pattern.utf8)
  }

  /// Greedy with one step back: on a mismatch the last star takes one byte more.
  func matches(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    var (position, index) = (0, 0)
    var star: (afterStar: Int, taken: Int)?
    while index < bytes.count {
      if position < pattern.count, pattern[position] == UInt8(ascii: "*") {
        position += 1
        star = (position, index)
      } else if position < pattern.count, pattern[position] == bytes[index] {
        position += 1
        index += 1
      } else if let last = star {
        star = (last.afterStar, last.taken + 1)
        position = last.afterStar
        index = last.taken + 1
      } else {
        return false
      }
    }
    return pattern[position...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
