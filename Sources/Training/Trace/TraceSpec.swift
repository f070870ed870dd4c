import DataParallel
import Diagnostics
import Metrics
import Plan
import Storage

/// What `--trace` and `--trace-steps` ask for.
package struct TraceSpec: Equatable, Sendable {
  /// The file to write, relative to the working directory.
  package var path: String
  /// The steps to keep, counted from 1 as in progress lines; nil: the newest that there is room for.
  package var steps: ClosedRange<Int>?

  /// Records that all ranks keep together where no steps are named: some 150 MB of text.
  private static let sharedCapacity = 1 << 20
  /// The most that one rank keeps: 25 MB of memory.
  private static let mostPerRank = 1 << 20

  package init(path: String, steps: ClosedRange<Int>? = nil) {
    self.path = path
    self.steps = steps
  }

  /// Proves, before a run begins, that the file can be written at its end.
  package func checkPath() throws {
    let expected = "a file in a folder in which this user may create files"
    let remedy = "name another file with --trace"
    if Folder(path).exists {
      throw Diagnostic(
        place: "--trace \(path)", problem: "this is a folder", expected: expected, remedy: remedy)
    }
    do {
      try Folder(containing: path).prepareForWriting(setting: "--trace")
    } catch let fault as Diagnostic {
      throw Diagnostic(
        place: "--trace \(path)", problem: "\(fault.place) \(fault.problem)", expected: expected,
        remedy: remedy)
    }
  }

  /// Room for the records of one rank.
  func buffer(_ plan: ExecutionPlan, shards: Int, ranks: Int) -> TraceBuffer {
    guard let steps else {
      return TraceBuffer(
        capacity: max(1 << 14, min(Self.mostPerRank, Self.sharedCapacity / ranks)))
    }
    let mostShards = (shards + ranks - 1) / ranks
    // A step, a micro-shard and what lies between steps bring a few records beside the instructions.
    let perStep = mostShards * (plan.shard.count + 4) + plan.finish.count + 32
    return TraceBuffer(
      capacity: min(Self.mostPerRank, steps.count * perStep + 1024),
      steps: steps.lowerBound - 1..<steps.upperBound)
  }
}

extension ExecutionPlan {
  /// The instructions as a timeline shows them, numbered as in `instructionNames`.
  package var traceInstructions: [TraceInstruction] {
    zip(instructionNames, shard + finish).map { name, instruction in
      switch instruction {
      case .endLeaf(let bucket): TraceInstruction(name: name, role: .startsSum(bucket: bucket))
      case .waitSum(let bucket): TraceInstruction(name: name, role: .waitsForSum(bucket: bucket))
      default: TraceInstruction(name: name)
      }
    }
  }
}
