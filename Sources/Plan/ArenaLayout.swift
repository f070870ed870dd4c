import Graph

/// Places for the values that live in the arena, shared by values that are never needed at once.
package struct ArenaLayout: Equatable, Sendable {
  /// By value; nil for what lives elsewhere. Elements, at full capacity.
  package private(set) var regions: [Range<Int>?]
  package private(set) var count = 0

  /// Of what does not grow with the samples: elements from the place of one micro-shard of a pass to that of the next.
  package static func shardStride(of value: Value) -> Int {
    (value.elementCount + LeafLayout.alignment - 1) / LeafLayout.alignment * LeafLayout.alignment
  }

  /// - Parameters:
  ///   - capacity: Samples of the largest micro-shard.
  ///   - shards: Micro-shards that go through the network together.
  ///   - held: Values that must survive the last operation.
  init(_ graph: ModelGraph, capacity: Int, shards: Int = 1, held: Set<ValueID>) {
    let lifetimes = storageLifetimes(of: graph, held: held)
    regions = Array(repeating: nil, count: graph.values.count)
    let sizes = graph.values.map { value in
      value.role.growsWithSamples
        ? value.elementCount * capacity * shards
        : shards == 1 ? value.elementCount : Self.shardStride(of: value) * shards
    }
    let storages = Dictionary(grouping: lifetimes.owner.indices) { lifetimes.owner[$0] }
    var placed: [(range: Range<Int>, lifetime: ClosedRange<Int>)] = []
    let largestFirst = lifetimes.spans.keys.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
    for owner in largestFirst {
      guard let lifetime = lifetimes.spans[owner] else { continue }
      let range = firstGap(
        of: sizes[owner], beside: placed.filter { $0.lifetime.overlaps(lifetime) }.map(\.range))
      placed.append((range, lifetime))
      count = max(count, range.upperBound)
      for value in storages[owner] ?? [] {
        regions[value] = range.lowerBound..<range.lowerBound + sizes[value]
      }
    }
  }
}

/// The lowest aligned place for `size` elements that touches none of `taken`.
///
/// Source: Pisarchyk and Lee, "Efficient memory management for deep neural net inference",
/// 2020, algorithm 3 (greedy by size).
private func firstGap(of size: Int, beside taken: [Range<Int>]) -> Range<Int> {
  let alignment = LeafLayout.alignment
  let length = (size + alignment - 1) / alignment * alignment
  var start = 0
  for range in taken.sorted(by: { $0.lowerBound < $1.lowerBound }) {
    if start + length <= range.lowerBound { break }
    start = max(start, range.upperBound)
  }
  return start..<start + length
}
