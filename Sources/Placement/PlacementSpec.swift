/// What the user says about the placement of ranks.
package struct PlacementSpec: Equatable, Sendable {
  package var pin = Pinning.auto

  package init() {}
}

package enum Pinning: String, CaseIterable, Sendable {
  /// Each rank on a core of its own, unless the launcher has bound the ranks or cores are too few.
  case auto
  case off
}
