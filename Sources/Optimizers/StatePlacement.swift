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

  /// Parameters from which `automatic` shards: below, meeting costs what dividing saves; above, memory falls too.
  ///
  /// Step time sharded / replicated (networks of three dense layers, 8 samples per rank; 10th percentile of the steps of
  /// a run, median of 3 to 5 pairs of runs in alternating order, AVX-512 machine with two cores):
  ///
  /// | parameters | 2 ranks: sgd | momentum | adam | 4 ranks on 2 cores: sgd | adam |
  /// |---|---|---|---|---|---|
  /// | 3k | 1.03 | | 1.05 | 0.89 | 1.15 |
  /// | 10k | 0.90 | 0.87 | 0.92 | 1.20 | 1.00 |
  /// | 30k | | 0.87 | 0.88 | 0.82 | 0.85 |
  /// | 100k | 0.87 | 0.86 | 0.82 | 0.78 | 0.76 |
  /// | 300k | | 0.82 | 0.80 | 0.78 | 0.73 |
  /// | 1M | 0.42 | 0.97 | 0.67 | | |
  /// | 3M | | 1.00 | 0.67 | | |
  /// | 10M | | 1.11 | 0.89 | | |
  /// | 20M | | 1.00 | 0.98 | | |
  ///
  /// From 1M on single pairs lie between 0.4 and 1.3, since other work shared the memory's bandwidth: there the memory saved counts.
  package static let shardedFrom = 30_000

  /// Whether ranks of a host that share memory hold the state once.
  package func shards(parameterCount: Int) -> Bool {
    switch self {
    case .automatic: parameterCount >= Self.shardedFrom
    case .replicated: false
    case .sharded: true
    }
  }
}
