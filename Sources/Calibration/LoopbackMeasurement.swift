import Loopback
import Scaling
import Storage

/// What TCP costs between two threads of this machine: the least that any Ethernet will.
package enum LoopbackMeasurement {
  /// - Returns: nil where the machine does not let a program connect to itself.
  package static func measure(rounds: Int = 200, bytes: Int = 1 << 20) -> NetworkModel? {
    guard let pair = try? TCPPair() else { return nil }
    let other = BackgroundThread(niceness: 0) {
      try? answer(pair, rounds: rounds, bytes: bytes)
    }
    defer { _ = other.wait() }
    return try? ask(pair, rounds: rounds, bytes: bytes)
  }

  private static var largeRounds: Int { 20 }

  private static func ask(_ pair: TCPPair, rounds: Int, bytes: Int) throws -> NetworkModel {
    let memory = AlignedMemory<UInt8>(count: bytes)
    func median(_ count: Int, _ rounds: Int) throws -> Double {
      var samples = Samples()
      for _ in 0..<rounds {
        let start = ContinuousClock.now
        try pair.send(memory.block.prefix(count), from: 0)
        try pair.receive(memory.block.prefix(1), at: 0)
        samples.add(ContinuousClock.now - start)
      }
      return samples.median
    }
    let small = try median(1, rounds) / 2
    let large = try median(bytes, largeRounds)
    return NetworkModel(
      latencySeconds: small, bytesPerSecond: Double(bytes) / max(large - 2 * small, 1e-9))
  }

  private static func answer(_ pair: TCPPair, rounds: Int, bytes: Int) throws {
    let memory = AlignedMemory<UInt8>(count: bytes)
    for round in 0..<rounds + largeRounds {
      try pair.receive(memory.block.prefix(round < rounds ? 1 : bytes), at: 1)
      try pair.send(memory.block.prefix(1), from: 1)
    }
  }
}
