/// CPUs by the numbers that Linux gives them, in the words of its files: `0-2,5`.
package struct CPUSet: Hashable, Sendable, CustomStringConvertible {
  /// Ascending, each once.
  package let cpus: [Int]

  package init(_ cpus: some Sequence<Int>) {
    self.cpus = Set(cpus).sorted()
  }

  /// Reads a list such as `0-2,5`; nil: the text is none. An empty text is the empty set.
  package init?(_ list: some StringProtocol) {
    var cpus: [Int] = []
    for range in list.split(separator: ",") {
      let ends = range.split(separator: "-", omittingEmptySubsequences: false).map {
        Int(String($0.filter { !$0.isWhitespace }))
      }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first >= 0, first <= last
      else { return nil }
      cpus += first...last
    }
    self.init(cpus)
  }

  package var count: Int { cpus.count }
  package var isEmpty: Bool { cpus.isEmpty }

  package func intersection(_ other: CPUSet) -> CPUSet {
    let others = Set(other.cpus)
    return CPUSet(cpus.filter(others.contains))
  }

  package func union(_ other: CPUSet) -> CPUSet { CPUSet(cpus + other.cpus) }

  package func isSubset(of other: CPUSet) -> Bool { intersection(other) == self }

  package var description: String { rangesText(cpus) }
}

/// Numbers in their order, neighbours drawn together: `0-2,5`.
func rangesText(_ numbers: [Int]) -> String {
  var ranges: [ClosedRange<Int>] = []
  for number in numbers {
    if let last = ranges.last, last.upperBound + 1 == number {
      ranges[ranges.count - 1] = last.lowerBound...number
    } else {
      ranges.append(number...number)
    }
  }
  return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
    .joined(separator: ",")
}
