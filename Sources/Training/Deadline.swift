import Diagnostics
import Foundation

/// When a run must make way because its job ends. Times are seconds since 1970.
package struct Deadline: Equatable, Sendable {
  /// The job's end.
  package let end: Double
  /// How long before it the run stops, beside the time of a save.
  package let margin: Double

  /// - Parameter now: The start of the run; at least half of the time that is left then is used,
  ///   however long the grace.
  package init(end: Double, grace: Double, now: Double) {
    self.end = end
    margin = min(grace, max(0, end - now) / 2)
  }

  /// Whether it is time to stop.
  package func isReached(at now: Double, saving: Duration) -> Bool {
    now >= end - margin - saving / .seconds(1)
  }

  /// `2026-03-01T18:00:00Z, stopping 60 seconds before`
  package var text: String {
    "\(JobEndTime.text(Int(end))), stopping \(Int(margin.rounded())) seconds before"
  }
}

extension Deadline {
  /// Environment variables that tell a job's end; the first one that is set counts.
  package static let variables = ["DDP_TRAIN_END_TIME", "SLURM_JOB_END_TIME"]

  /// The deadline of a run; nil: it has none.
  ///
  /// An end in the environment that is over is not the job's end any more: the job was prolonged.
  /// - Throws: A `Diagnostic` when the configured time is over, or the environment's is no number.
  package init?(
    _ spec: PreemptionSpec,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    now: Double = Date().timeIntervalSince1970
  ) throws {
    switch spec.endTime {
    case nil: return nil
    case .at(let end):
      guard Double(end) > now else { throw Self.isOver(end) }
      self.init(end: Double(end), grace: spec.graceSeconds, now: now)
    case .automatic:
      guard let end = try Self.end(in: environment), end > now else { return nil }
      self.init(end: end, grace: spec.graceSeconds, now: now)
    }
  }

  private static func end(in environment: [String: String]) throws -> Double? {
    guard let name = variables.first(where: { environment[$0]?.isEmpty == false }),
      let text = environment[name]
    else { return nil }
    if let end = Int(text), end >= 0 { return Double(end) }
    throw Diagnostic(
      place: "environment variable \(name)", problem: "\"\(text)\" is no time",
      expected: "the job's end in whole seconds since 1970",
      remedy: "unset it, or set preemption.end_time to a time or to null")
  }

  private static func isOver(_ end: Int) -> Diagnostic {
    Diagnostic(
      place: "preemption.end_time", problem: "\(JobEndTime.text(end)) is over",
      expected: "a time ahead, before which the run saves and stops",
      remedy: "give a later time, or preemption.end_time=null for none")
  }
}

extension JobEndTime {
  /// A time with its zone as ISO 8601 writes it, such as `2026-03-01T18:00:00+01:00`.
  package init?(text: String) {
    guard let date = try? Date(text, strategy: .iso8601) else { return nil }
    self = .at(Int(date.timeIntervalSince1970))
  }

  package static func text(_ secondsSince1970: Int) -> String {
    Date(timeIntervalSince1970: Double(secondsSince1970)).formatted(.iso8601)
  }
}
