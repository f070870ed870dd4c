import Diagnostics

/// What an audit found where the ranks do not hold the same bits: the tensors, and who is with whom.
package struct Disagreement: Equatable, Sendable {
  /// Ranks in groups that hold the same bits of one tensor, ordered by their first ranks.
  package struct Tensor: Equatable, Sendable {
    package let name: String
    /// Of the tensor, in the order of the audit.
    package let index: Int
    package let groups: [[Int]]
  }

  /// How one tensor becomes the same everywhere again.
  package struct Cure: Equatable, Sendable {
    package let index: Int
    /// Who has the bits that are kept.
    package let source: Int
    /// Who gets them.
    package let ranks: [Int]

    package init(index: Int, source: Int, ranks: [Int]) {
      self.index = index
      self.source = source
      self.ranks = ranks
    }
  }

  /// Empty when already the lists of tensors differ.
  package let tensors: [Tensor]
  private let names: [String]
  /// The groups of the first tensor, or of the whole lists.
  private let groups: [[Int]]

  /// - Parameter tables: By rank, 16 bytes for each of `names`; not all the same.
  package init(names: [String], tables: [[UInt8]]) {
    self.names = names
    let isComparable = tables.allSatisfy { $0.count == names.count * 16 }
    tensors =
      !isComparable
      ? []
      : names.indices.compactMap { index in
        let groups = Self.groups(tables.map { $0[index * 16..<index * 16 + 16] })
        return groups.count == 1 ? nil : Tensor(name: names[index], index: index, groups: groups)
      }
    groups = tensors.first?.groups ?? Self.groups(tables.map { $0[...] })
  }

  /// What makes the replicas the same again: the bits of the largest group, or of rank 0's where no group
  /// is larger than all others. Nil where the ranks do not even hold the same tensors.
  package var cures: [Cure]? {
    guard !tensors.isEmpty else { return nil }
    return tensors.map { tensor in
      let most = tensor.groups.map(\.count).max() ?? 0
      let largest = tensor.groups.filter { $0.count == most }
      let kept = largest.count == 1 ? largest[0] : tensor.groups[0]
      return Cure(
        index: tensor.index, source: kept[0],
        ranks: tensor.groups.filter { $0 != kept }.flatMap { $0 }.sorted())
    }
  }

  package func diagnostic(step: Int, hosts: [String]) -> Diagnostic {
    Diagnostic(
      place: "step \(step)",
      problem: "the ranks do not hold the same bits in \(tensorText): \(groupText(hosts: hosts))",
      expected: "the same parameters and optimizer state on every rank after every step",
      remedy:
        "start the same command again to resume from the last checkpoint; if it recurs, check that "
        + "all hosts run the same binary and test the memory of the host in the minority")
  }

  /// `layers.0.bias and 2 more of 12 tensors`.
  package var tensorText: String {
    guard let first = tensors.first else { return "the list of tensors" }
    let others = tensors.count - 1
    return others == 0 ? first.name : "\(first.name) and \(others) more of \(names.count) tensors"
  }

  private func groupText(hosts: [String]) -> String {
    groups.map { ranksText($0, hosts: hosts) }.joined(separator: " against ")
  }

  private static func groups(_ keys: [ArraySlice<UInt8>]) -> [[Int]] {
    var groups: [[Int]] = []
    for rank in keys.indices {
      let same = groups.firstIndex { keys[$0[0]].elementsEqual(keys[rank]) }
      if let same { groups[same].append(rank) } else { groups.append([rank]) }
    }
    return groups
  }
}

/// `rank 2 (node1)`, `ranks 0 (node0), 1 (node0)`.
package func ranksText(_ ranks: [Int], hosts: [String]) -> String {
  let list = ranks.map { "\($0) (\(hosts[$0]))" }.joined(separator: ", ")
  return ranks.count == 1 ? "rank \(list)" : "ranks \(list)"
}
