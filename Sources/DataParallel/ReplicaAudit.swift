import Collectives
import Diagnostics

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
  /// - Throws: `AgreedFailure`, the same on every rank, with tensor, ranks and step.
  package static func check(
    _ hashes: [TensorHash], step: Int, over group: any Collectives
  ) throws {
    let digests = try group.allGather(bytes(of: digest(of: hashes)))
    guard digests.contains(where: { $0 != digests[0] }) else { return }
    let tables = try group.allGather(hashes.flatMap { bytes(of: ($0.high, $0.low)) })
    let difference = Difference(names: hashes.map(\.name), tables: tables)
    let diagnostic = difference.diagnostic(step: step, hosts: group.hosts)
    throw AgreedFailure(message: "\(diagnostic)", exitCode: 1)
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

/// Which tensors differ, and which ranks differ from the first.
private struct Difference {
  let names: [String]
  /// The tensors, by index, that not all ranks agree on.
  private(set) var tensors: [Int] = []
  /// The ranks in groups that hold the same bits in the first of these tensors.
  private(set) var groups: [[Int]] = []

  init(names: [String], tables: [[UInt8]]) {
    self.names = names
    func hash(_ rank: Int, _ tensor: Int) -> ArraySlice<UInt8> {
      tables[rank].dropFirst(tensor * 16).prefix(16)
    }
    tensors = names.indices.filter { tensor in
      tables.indices.contains { !hash($0, tensor).elementsEqual(hash(0, tensor)) }
    }
    // No tensor of this rank's differs when only the lists have different lengths.
    let first = tensors.first
    func key(_ rank: Int) -> ArraySlice<UInt8> { first.map { hash(rank, $0) } ?? tables[rank][...] }
    for rank in tables.indices {
      let same = groups.firstIndex { key($0[0]).elementsEqual(key(rank)) }
      if let same { groups[same].append(rank) } else { groups.append([rank]) }
    }
  }

  func diagnostic(step: Int, hosts: [String]) -> Diagnostic {
    Diagnostic(
      place: "step \(step)",
      problem: "the ranks do not hold the same bits in \(tensorText): \(groupText(hosts: hosts))",
      expected: "the same parameters and optimizer state on every rank after every step",
      remedy:
        "start the same command again to resume from the last checkpoint; if it recurs, check that "
        + "all hosts run the same binary and test the memory of the host in the minority")
  }

  private var tensorText: String {
    guard let first = tensors.first else { return "the list of tensors" }
    let others = tensors.count - 1
    return others == 0
      ? names[first] : "\(names[first]) and \(others) more of \(names.count) tensors"
  }

  private func groupText(hosts: [String]) -> String {
    groups.map { group in
      let ranks = group.map { "\($0) (\(hosts[$0]))" }.joined(separator: ", ")
      return group.count == 1 ? "rank \(ranks)" : "ranks \(ranks)"
    }.joined(separator: " against ")
  }
}
