import Collectives

/// 128 bits that stand for the bits of one tensor.
package struct TensorHash: Equatable, Sendable {
  package var name: String
  package var high: UInt64
  package var low: UInt64

  package init(name: String, high: UInt64, low: UInt64) {
    self.name = name
    self.high = high
    self.low = low
  }
}

/// Compares the replicas: after every step all ranks must hold the same bits.
package enum ReplicaAudit {
  /// Compares `hashes` over all ranks; all ranks give the same names in the same order.
  ///
  /// One small gather to all suffices while all agree; only a difference sends the single hashes.
  /// - Returns: What differs, the same on every rank; nil when all agree.
  package static func compare(
    _ hashes: [TensorHash], over group: any Collectives
  ) throws(CollectivesError) -> Disagreement? {
    let digests = try group.allGather(bytes(of: digest(of: hashes)))
    guard digests.contains(where: { $0 != digests[0] }) else { return nil }
    let tables = try group.allGather(hashes.flatMap { bytes(of: ($0.high, $0.low)) })
    return Disagreement(names: hashes.map(\.name), tables: tables)
  }

  /// Every bit of the hashes changes the digest (splitmix64's finaliser over a running sum).
  ///
  /// Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", section 4.
  private static func digest(of hashes: [TensorHash]) -> (UInt64, UInt64) {
    var digest: (UInt64, UInt64) = (0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03)
    for hash in hashes {
      digest.0 = mix(digest.0 &+ hash.high) &+ hash.low
      digest.1 = mix(digest.1 ^ hash.low) &+ hash.high
    }
    return (mix(digest.0), mix(digest.1))
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private static func bytes(of pair: (UInt64, UInt64)) -> [UInt8] {
    [pair.0, pair.1].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
  }
}
