import Kernels
import Storage
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Two threads add up what both have written, as two ranks of a host do in their shared window.
struct SharedSumMeasurement {
  /// Seconds per byte read or written, of either thread while both are at it.
  let secondsPerByte: Double
  /// From a thread's word to the other's reading of it.
  let flagSeconds: Double

  /// - Parameters:
  ///   - elements: Of the gradient; 256 KiB to 16 MiB of it are used.
  ///   - rounds: How often; without the slowest, the mean counts.
  init(elements: Int, rounds: Int = 40) {
    let count = min(max(elements, 1 << 16), 1 << 22) / 32 * 32
    let room = SharedRoom(count: count)
    let other = BackgroundThread(niceness: 0) { _ = room.work(1, rounds: rounds) }
    let own = room.work(0, rounds: rounds)
    other.wait()
    let sliceBytes = count / 2 * MemoryLayout<Float>.stride
    secondsPerByte = own.sum / Double(3 * sliceBytes)
    flagSeconds = own.flag
  }
}

/// What the two threads share. A thread writes its own leaf and its own half of the sum; the words say
/// when the other may read them.
private final class SharedRoom: @unchecked Sendable {
  private let leaves: [AlignedMemory<Float>]
  private let sum: AlignedMemory<Float>
  private let first = Atomic<Int>(0)
  private let second = Atomic<Int>(0)

  init(count: Int) {
    leaves = (0..<2).map { _ in AlignedMemory(count: count) }
    sum = AlignedMemory(count: count)
  }

  func work(_ thread: Int, rounds: Int) -> (sum: Double, flag: Double) {
    var sums = Samples()
    var flags = Samples()
    let count = sum.block.count
    let slice = thread * count / 2..<(thread + 1) * count / 2
    for round in 0..<rounds {
      leaves[thread].block.fill(Float(round))
      meet(thread, round: 4 * round + 1)
      sums.time {
        addBlocks(leaves[0].block[slice], leaves[1].block[slice], into: sum.block[slice])
      }
      meet(thread, round: 4 * round + 2)
      // Two words there and two back.
      flags.time(parts: 2) {
        meet(thread, round: 4 * round + 3)
        meet(thread, round: 4 * round + 4)
      }
    }
    return (sums.typical, flags.typical)
  }

  /// Returns when both threads have come to `round`.
  private func meet(_ thread: Int, round: Int) {
    if thread == 0 {
      meet(own: first, other: second, round: round)
    } else {
      meet(own: second, other: first, round: round)
    }
  }

  private func meet(own: borrowing Atomic<Int>, other: borrowing Atomic<Int>, round: Int) {
    own.store(round, ordering: .releasing)
    var attempts = 0
    while other.load(ordering: .acquiring) < round {
      attempts += 1
      if attempts % 1000 == 0 { sched_yield() }
    }
  }
}
