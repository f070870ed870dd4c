/// What a message between two hosts costs: `latency + bytes / bandwidth`, the alpha-beta model; a long one
/// asks first, which takes a latency there and one back.
///
/// Every host has one link in each direction, which its ranks share, and the switch behind the links
/// never fills up. Sending and receiving do not hinder each other.
///
/// Source: Hockney, "The communication challenge for MPP", Parallel Computing 20, 1994.
package struct NetworkModel: Equatable, Sendable {
  /// From the start of a message to the arrival of its first byte.
  package var latencySeconds: Double
  /// Of a host's link, in each direction.
  package var bytesPerSecond: Double
  /// What goes without asking: the `btl_tcp_eager_limit` that ranks set, without its header.
  package var eagerBytes = (1 << 20) - 64

  package init(latencySeconds: Double, bytesPerSecond: Double) {
    self.latencySeconds = latencySeconds
    self.bytesPerSecond = bytesPerSecond
  }

  /// - Parameters:
  ///   - gigabits: Of a host's link, in Gbit/s.
  ///   - microseconds: Of latency.
  package init(gigabits: Double, microseconds: Double) {
    self.init(latencySeconds: microseconds * 1e-6, bytesPerSecond: gigabits * 1e9 / 8)
  }

  /// TCP over 10-gigabit Ethernet, as Open MPI sees it.
  package static let standard = NetworkModel(gigabits: 10, microseconds: 30)

  package var gigabits: Double { bytesPerSecond * 8 / 1e9 }
  package var microseconds: Double { (latencySeconds * 1e9).rounded() / 1e3 }
}
