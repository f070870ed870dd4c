// H hosts; P is the largest power of two that is not larger than H.

/// How the owners of one slice, one on each host, come to the slice's sum over all hosts.
///
/// Recursive halving: in stage s hosts 2^s apart exchange halves of what is left, and each adds what it
/// got; after log2 P stages each holds the sum of 1/P of the slice. Then the same stages backwards,
/// without adding, spread the sums. Hosts beyond P first hand their slice to host h - P and get the sum
/// at the end.
///
/// Source: Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations in
/// MPICH", IJHPCA 19, 2005, section 4.5.
package struct SliceExchange: Equatable, Sendable {
  package struct Stage: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
      /// Hosts `distance` apart exchange halves of what is left and add.
      case halve
      /// They exchange sums.
      case double
      /// Host `distance + h` sends its slice to host h, which adds it.
      case fold
      /// Host h sends the sum to host `distance + h`.
      case unfold
    }

    package var kind: Kind
    package var distance: Int
    /// Of the slice, what a message holds.
    package var fraction: Double

    package var adds: Bool { kind == .halve || kind == .fold }

    /// Whom `host` sends to in this stage, and whom it receives from.
    package func partners(of host: Int, hosts: Int) -> (target: Int?, source: Int?) {
      switch kind {
      case .halve, .double:
        let isBeyond = host >= hosts.floorPowerOfTwo
        return isBeyond ? (nil, nil) : (host ^ distance, host ^ distance)
      case .fold:
        if host >= distance { return (host - distance, nil) }
        return (nil, host + distance < hosts ? host + distance : nil)
      case .unfold:
        if host >= distance { return (nil, host - distance) }
        return (host + distance < hosts ? host + distance : nil, nil)
      }
    }
  }

  package let hosts: Int
  package private(set) var stages: [Stage] = []

  package init(hosts: Int) {
    self.hosts = hosts
    let core = hosts.floorPowerOfTwo
    var distance = 1
    while distance < core {
      stages.append(Stage(kind: .halve, distance: distance, fraction: 0.5 / Double(distance)))
      distance *= 2
    }
    stages += stages.reversed().map {
      Stage(kind: .double, distance: $0.distance, fraction: $0.fraction)
    }
    if core < hosts {
      stages.insert(Stage(kind: .fold, distance: core, fraction: 1), at: 0)
      stages.append(Stage(kind: .unfold, distance: core, fraction: 1))
    }
  }

  /// Bytes that the busiest host sends for every byte of the gradient: `2 (H - 1) / H` for powers of two.
  package var sentPerByte: Double {
    stages.filter { $0.kind != .fold }.reduce(0) { $0 + $1.fraction }
  }
}

extension Int {
  /// The largest power of two that is not larger than a positive number.
  var floorPowerOfTwo: Int { 1 << (Int.bitWidth - 1 - leadingZeroBitCount) }
}
