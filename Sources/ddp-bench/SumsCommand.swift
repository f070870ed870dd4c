import ArgumentParser
import Benchmarks
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

  @Option(help: "The largest size is 2 to this power, in bytes.")
  var largestExponent = 27

  @Option(help: "Bytes of a bucket.")
  var bucketBytes = 1 << 20

  @OptionGroup var report: ReportOptions

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds \(rounds) is not above 0") }
    guard (12...30).contains(largestExponent) else {
      throw ValidationError("--largest-exponent \(largestExponent) is not from 12 to 30")
    }
    guard bucketBytes >= 64 else { throw ValidationError("--bucket-bytes is below 64") }
  }

  func run() throws {
    let group = try joinRanks()
    runTogether(group) {
      let limits = Stopwatch(seconds: 0.1).limits()
      let rows = try (12...largestExponent).map { try measure(byteCount: 1 << $0, group) }
      guard group.isRoot else { return }
      try report.publish(
        BenchmarkReport(
          "sums",
          of: "\(group.ranks) ranks on \(group.hostCount) hosts, \(MPIWorld.libraryVersion)",
          limits: limits, rows: rows))
    }
  }

  private func measure(byteCount: Int, _ group: any Collectives) throws -> SumRow {
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
    return SumRow(
      byteCount: byteCount, seconds: ours.dropFirst().median,
      allreduceSeconds: theirs.dropFirst().median, copySeconds: copies.dropFirst().median)
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
