import Kernels
import Metrics

/// What one core of the machine can do at best, as measured.
package struct MachineLimits: Codable, Equatable, Sendable {
  /// How fast memory is copied whose source and target take so many bytes together.
  package struct CopySpeed: Codable, Equatable, Sendable {
    package var byteCount: Int
    /// Bytes read and written.
    package var bytesPerSecond: Double

    package init(byteCount: Int, bytesPerSecond: Double) {
      self.byteCount = byteCount
      self.bytesPerSecond = bytesPerSecond
    }
  }

  package var instructionSet = InstructionSet.name
  /// Of multiply-adds between registers in Float, each counted as two.
  package var operationsPerSecond: Double
  /// From small to large.
  package var copySpeeds: [CopySpeed]

  package init(operationsPerSecond: Double, copySpeeds: [CopySpeed]) {
    precondition(
      zip(copySpeeds, copySpeeds.dropFirst()).allSatisfy { $0.byteCount < $1.byteCount },
      "the sizes of copies do not grow")
    self.operationsPerSecond = operationsPerSecond
    self.copySpeeds = copySpeeds
  }

  /// How fast data of this size move: that of the smallest copy that is not smaller.
  package func bytesPerSecond(forBytes byteCount: Int) -> Double {
    (copySpeeds.first { $0.byteCount >= byteCount } ?? copySpeeds.last)?.bytesPerSecond ?? .infinity
  }

  /// The least time that `work` can take: `max(operations / peak, bytes / bandwidth)`.
  package func floorSeconds(_ work: InstructionWork) -> Double {
    max(
      work.operations / operationsPerSecond,
      Double(work.byteCount) / bytesPerSecond(forBytes: work.byteCount))
  }

  /// `AVX-512, one core: 179.2 GFLOP/s; copies 98 GB/s at 33 kB, 12 GB/s at 67 MB`.
  package var line: String {
    let copies = [copySpeeds.first, copySpeeds.last].compactMap { $0 }.map {
      "\(fixedPoint($0.bytesPerSecond * 1e-9, digits: 0)) GB/s at \(byteCountText($0.byteCount))"
    }
    let peak = "\(fixedPoint(operationsPerSecond * 1e-9, digits: 1)) GFLOP/s"
    return "\(instructionSet), one core: \(peak)"
      + (copies.isEmpty ? "" : "; copies \(copies.joined(separator: ", "))")
  }
}
