import Foundation

/// Shows a run's progress and prints the lines that stay, without one spoiling the other.
///
/// Ask `isDue` after a step (it allocates nothing) and call `show` only when it is: a bar is redrawn
/// at most ten times a second, lines come every few seconds.
package final class ProgressDisplay {
  package typealias Instant = ContinuousClock.Instant

  private let style: ProgressStyle
  private let label: MetricLabel
  private let width: Int
  private let interval: Duration
  private let write: (String) -> Void
  private let start: Instant
  private let firstStep: Int
  private var due: Instant
  /// Columns of the bar that stands on the terminal; 0: none.
  private var shownColumns = 0

  /// - Parameters:
  ///   - firstStep: The step at which this process begins: the pace counts from there.
  ///   - width: Columns of the terminal.
  ///   - lineInterval: Least time between two lines of the style `lines`.
  ///   - write: Where text goes.
  package init(
    style: ProgressStyle, label: MetricLabel, firstStep: Int, width: Int = 80,
    lineInterval: Duration = .seconds(5), start: Instant = ContinuousClock.now,
    write: @escaping (String) -> Void = writeToStandardOutput
  ) {
    self.style = style
    self.label = label
    self.firstStep = firstStep
    // The last column stays free: writing there moves some terminals to the next line.
    self.width = width - 1
    self.start = start
    self.write = write
    interval = style == .lines ? lineInterval : .milliseconds(100)
    due = start
  }

  package func isDue(at now: Instant = ContinuousClock.now) -> Bool {
    style != .none && now >= due
  }

  /// Shows `progress` now.
  package func show(_ progress: TrainingProgress, at now: Instant = ContinuousClock.now) {
    due = now + interval
    let left = timeLeft(
      elapsed: now - start, done: progress.step - firstStep,
      remaining: progress.stepCount - progress.step)
    switch style {
    case .bar: redraw(progress.bar(label, timeLeft: left, width: width))
    case .lines: write(progress.line(label, timeLeft: left) + "\n")
    case .none: break
    }
  }

  /// Prints lines that stay; a bar gives way and comes back with the next `show`.
  package func printLines(_ lines: [String]) {
    clear()
    write(lines.map { $0 + "\n" }.joined())
  }

  /// Takes the bar away; call it before anybody else writes to the terminal.
  package func clear() {
    guard shownColumns > 0 else { return }
    write("\r" + String(repeating: " ", count: shownColumns) + "\r")
    shownColumns = 0
  }

  private func redraw(_ text: String) {
    write("\r" + padded(text, to: shownColumns, .left))
    shownColumns = text.count
  }
}

/// Writes at once, past every buffer. A terminal that has gone away does not end a run: its results
/// are in the run folder too.
package func writeToStandardOutput(_ text: String) {
  writeToStandardOutput(bytes: Array(text.utf8))
}

/// The same for text that comes in pieces of characters.
package func writeToStandardOutput(bytes: [UInt8]) {
  try? FileHandle.standardOutput.write(contentsOf: Data(bytes))
}
