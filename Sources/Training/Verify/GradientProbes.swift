/// Along what the loss is differentiated: tensors one by one in all coordinates or in random directions, or several
/// tensors at once where there is little time.
package struct GradientProbes: Equatable, Sendable {
  package struct Probe: Equatable, Sendable {
    /// Indices of the tensors that move together.
    package var tensors: [Int]
    /// nil: every coordinate of the one tensor.
    package var directions: Int?

    package init(tensors: [Int], directions: Int?) {
      self.tensors = tensors
      self.directions = directions
    }
  }

  package private(set) var list: [Probe] = []

  /// - Parameters:
  ///   - counts: Elements of each tensor.
  ///   - derivatives: How many may be measured; at least one is.
  package init(counts: [Int], derivatives: Int) {
    let each = derivatives / max(counts.count, 1)
    guard each > 0 else {
      let size = (counts.count + max(derivatives, 1) - 1) / max(derivatives, 1)
      list = stride(from: 0, to: counts.count, by: size).map {
        Probe(tensors: Array($0..<min($0 + size, counts.count)), directions: 1)
      }
      return
    }
    let directions = min(each, Self.mostDirections)
    var rest = derivatives - directions * counts.count
    list = counts.indices.map { Probe(tensors: [$0], directions: directions) }
    for tensor in counts.indices.sorted(by: { (counts[$0], $0) < (counts[$1], $1) }) {
      let more = counts[tensor] - directions
      guard more <= rest else { break }
      rest -= more
      list[tensor].directions = nil
    }
  }

  private static var mostDirections: Int { 4 }

  /// Directions and coordinates in words.
  package func text(counts: [Int]) -> String {
    let directions = list.reduce(0) { $0 + ($1.directions ?? 0) }
    let whole = list.filter { $0.directions == nil }
    let coordinates = whole.reduce(0) { sum, probe in
      sum + probe.tensors.reduce(0) { $0 + counts[$1] }
    }
    let rest = "\(directions) random direction\(directions == 1 ? "" : "s")"
    if whole.isEmpty { return rest }
    let all = "\(directions == 0 ? "all " : "")\(coordinates) coordinates"
    return directions == 0 ? all : "\(all) and \(rest)"
  }
}
