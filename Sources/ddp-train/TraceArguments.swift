import ArgumentParser
import Foundation
import Training

/// `--trace` and `--trace-steps`.
struct TraceArguments: ParsableArguments {
  @Option(help: "Write a timeline of all ranks to this file, for ui.perfetto.dev.")
  var trace: String?

  @Option(
    help: "The steps of the timeline, as FIRST..LAST; else the newest that there is room for.")
  var traceSteps: StepRange?

  func validate() throws {
    if traceSteps != nil, trace == nil {
      throw ValidationError("--trace-steps needs --trace FILE.")
    }
  }

  var spec: TraceSpec? { trace.map { TraceSpec(path: $0, steps: traceSteps?.steps) } }
}

/// `10..20` or `10`, counted from 1 as in progress lines.
struct StepRange: ExpressibleByArgument {
  var steps: ClosedRange<Int>

  init?(argument: String) {
    let words = argument.components(separatedBy: "..")
    let numbers = words.compactMap { Int($0) }
    guard (1...2).contains(words.count), numbers.count == words.count, let first = numbers.first,
      let last = numbers.last, 1 <= first, first <= last
    else { return nil }
    steps = first...last
  }
}
