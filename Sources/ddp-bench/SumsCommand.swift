import ArgumentParser
import Collectives
import DataParallel
import Kernels
import MPICollectives
import Storage

/// Our sum over the ranks beside MPI's, in one run.
struct SumsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sums",
    abstract: "Time of a sum over all ranks beside MPI_Allreduce, from 4 KiB to 128 MiB.",
    discussion: """
      Start it under mpirun. Every round measures both, one after the other; a figure is the median of the \
      rounds, on the slowest rank. Bandwidth is the bytes of one rank's gradient over the time; beside it \
      stands what copying as many bytes achieves while all ranks copy.
      """)

  @Option(help: "Rounds per size.")
  var rounds = 9

  @Option(help: "Bytes of a bucket.")
  var bucketBytes = 1 << 20

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds \(rounds) is not above 0") }
    guard bucketBytes >= 64 else { throw ValidationError("--bucket-bytes is below 64") }
  }

  func run() throws {
    let group = try joinRanks()
    runTogether(group) {
      if group.isRoot {
        print("\(group.ranks) ranks on \(group.hostCount) hosts, \(MPIWorld.libraryVersion)")
        print(SumTimes.heading)
      }
      for exponent in stride(from: 12, through: 27, by: 1) {
        let times = try measure(byteCount: 1 << exponent, group)
        if group.isRoot { print(times.line) }
      }
    }
  }

  private func measure(byteCount: Int, _ group: any Collectives) throws -> SumTimes {
    let count = byteCount / MemoryLayout<Float>.stride
    let cut = bucketBytes / MemoryLayout<Float>.stride
    let summation = try GradientSummation<Float>(
      length: count,
      buckets: stride(from: 0, to: count, by: cut).map { $0..<min($0 + cut, count) },
      shards: group.ranks, over: group)
    let source = AlignedMemory<Float>(count: count)
    let target = AlignedMemory<Float>(count: count)
    // Enough repetitions for the clock, few enough for patience.
    let calls = max(1, min(1_000, (32 << 20) / byteCount))
    var ours: [Double] = []
    var theirs: [Double] = []
    var copies: [Double] = []
    for _ in 0...rounds {
      ours.append(try time(calls, group) { try sum(summation) })
      theirs.append(try time(calls, group) { try sumByMPI(source, target, group) })
      copies.append(try time(calls, group) { target.block.copy(from: source.block) })
    }
    // The first round warms up.
    return SumTimes(
      byteCount: byteCount, ours: median(ours.dropFirst()), theirs: median(theirs.dropFirst()),
      copy: median(copies.dropFirst()))
  }

  private func sum(_ summation: GradientSummation<Float>) throws {
    try summation.beginStep()
    for bucket in summation.buckets.indices {
      summation.endLeaf(bucket: bucket, localShard: 0)
      try summation.startSum(bucket)
    }
    for bucket in summation.buckets.indices { try summation.waitSum(bucket) }
    summation.endStep()
  }

  private func sumByMPI(
    _ source: AlignedMemory<Float>, _ target: AlignedMemory<Float>, _ group: any Collectives
  ) throws {
    if let world = group as? MPIWorld {
      try world.sumByMPI(source.block, into: target.block)
    } else {
      target.block.copy(from: source.block)
    }
  }

  /// Seconds per call on the slowest rank.
  private func time(
    _ calls: Int, _ group: any Collectives, _ body: () throws -> Void
  ) throws -> Double {
    try group.barrier()
    let start = ContinuousClock.now
    for _ in 0..<calls { try body() }
    let nanoseconds = Int((ContinuousClock.now - start) / .nanoseconds(1))
    return Double(try group.allMaximum(nanoseconds)) / Double(calls) * 1e-9
  }
}

/// One line of the report; times in seconds.
struct SumTimes {
  var byteCount: Int
  var ours: Double
  var theirs: Double
  var copy: Double

  static var heading: String {
    "      size    ours us  Allreduce us  ratio  ours GB/s  copy GB/s"
  }

  var line: String {
    let size = byteCount >= 1 << 20 ? "\(byteCount >> 20) MiB" : "\(byteCount >> 10) KiB"
    let columns = [
      (size, 10), (rounded(ours * 1e6), 11), (rounded(theirs * 1e6), 14),
      (rounded(theirs / ours), 7), (rounded(Double(byteCount) / ours * 1e-9), 11),
      (rounded(Double(byteCount) / copy * 1e-9), 11),
    ]
    return columns.map { text, width in
      String(repeating: " ", count: max(0, width - text.count)) + text
    }.joined()
  }
}

private func median(_ values: ArraySlice<Double>) -> Double {
  let sorted = values.sorted()
  return (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
}
