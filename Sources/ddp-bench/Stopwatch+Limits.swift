import Benchmarks
import Kernels
import Storage

extension Stopwatch {
  /// The limits of the core that this thread is on, in about a second.
  func limits() -> MachineLimits {
    MachineLimits(
      operationsPerSecond: peak(of: Float.self) * 1e9,
      copySpeeds: [15, 18, 20, 22, 24, 26].map { copySpeed(byteCount: 1 << $0) })
  }

  /// - Parameter byteCount: Of source and target together.
  private func copySpeed(byteCount: Int) -> MachineLimits.CopySpeed {
    let count = byteCount / 2 / MemoryLayout<Float>.stride
    let source = AlignedMemory<Float>(count: count)
    let target = AlignedMemory<Float>(count: count)
    source.block.fill(1)
    let gigabytes = speed(operations: Double(byteCount)) { target.block.copy(from: source.block) }
    return MachineLimits.CopySpeed(byteCount: byteCount, bytesPerSecond: gigabytes * 1e9)
  }
}
