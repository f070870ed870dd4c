/// Who holds the optimizer's slots and the averaged weights, and who updates which parameters.
///
/// Source: Rajbhandari et al., "ZeRO: memory optimizations toward training trillion parameter models", 2020,
/// section 5.1 (optimizer state partitioning, stage 1); here the partition is over the ranks of each host, which
/// share memory, so nothing more travels between hosts.
package enum StatePlacement: Equatable, Sendable {
  /// `sharded` for models of `shardedFrom` parameters and more.
  case automatic
  /// Every rank holds all of it and updates all parameters.
  case replicated
  /// Every host holds it once; each of its ranks updates its slice of the parameters and hands it to the others.
  case sharded

  /// Parameters from which `automatic` shards.
  package static let shardedFrom = 100_000

  /// Whether ranks of a host that share memory hold the state once.
  package func shards(parameterCount: Int) -> Bool {
    switch self {
    case .automatic: parameterCount >= Self.shardedFrom
    case .replicated: false
    case .sharded: true
    }
  }
}
