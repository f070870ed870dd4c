/// Which cores the ranks of a host get.
enum CoreChoice {
  /// One core per rank, in rank order: spread evenly over sockets, in them over NUMA nodes, in them over
  /// caches, in contiguous blocks, so that ranks get memory bandwidth and neighbours in rank order are
  /// near each other. On a host that mixes kinds of cores the fast ones are taken while they suffice.
  ///
  /// - Precondition: There are at least `count` cores.
  static func cores(_ count: Int, of cores: [Core]) -> [Core] {
    precondition(count <= cores.count, "\(count) ranks for \(cores.count) cores")
    let fast = cores.filter(\.isFast)
    return spread(
      count, over: count <= fast.count ? fast : cores, levels: [\.package, \.node, \.cache])
  }

  private static func spread(
    _ count: Int, over cores: [Core], levels: ArraySlice<KeyPath<Core, Int>>
  ) -> [Core] {
    guard let level = levels.first else { return Array(cores.prefix(count)) }
    var groups: [[Core]] = []
    for core in cores {
      if groups.last?.last?[keyPath: level] == core[keyPath: level] {
        groups[groups.count - 1].append(core)
      } else {
        groups.append([core])
      }
    }
    let shares = evenShares(count, capacities: groups.map(\.count))
    return zip(groups, shares).flatMap { spread($1, over: $0, levels: levels.dropFirst()) }
  }

  /// Parts of `count` that are as equal as the capacities allow, larger ones first.
  static func evenShares(_ count: Int, capacities: [Int]) -> [Int] {
    var shares = capacities.map { _ in 0 }
    for _ in 0..<count {
      let open = shares.indices.filter { shares[$0] < capacities[$0] }
      guard let least = open.min(by: { shares[$0] < shares[$1] }) else {
        preconditionFailure("\(count) do not fit into \(capacities)")
      }
      shares[least] += 1
    }
    return shares
  }
}
