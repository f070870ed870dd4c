import Foundation

/// What `--progress` asks for.
package enum ProgressOption: String, CaseIterable, Sendable {
  case auto, bar, lines, none

  /// How progress is shown here.
  ///
  /// `mpirun` gives every rank a terminal of its own and forwards what it reads there, so a rank
  /// cannot see whether a person looks on. `launch/local` can, and says so in `DDP_TRAIN_TERMINAL`.
  package func style(environment: [String: String], outputIsTerminal: Bool) -> ProgressStyle {
    switch self {
    case .bar: return .bar
    case .lines: return .lines
    case .none: return .none
    case .auto: break
    }
    if let word = environment["DDP_TRAIN_TERMINAL"] { return word == "1" ? .bar : .lines }
    let launchers = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"]
    let isLaunched = launchers.contains { environment[$0] != nil }
    return outputIsTerminal && !isLaunched ? .bar : .lines
  }

  /// The style for this process's standard output.
  package func style() -> ProgressStyle {
    style(
      environment: ProcessInfo.processInfo.environment, outputIsTerminal: isatty(STDOUT_FILENO) == 1
    )
  }
}

package enum ProgressStyle: Equatable, Sendable {
  /// One line, redrawn.
  case bar
  /// A line every few seconds.
  case lines
  case none
}

/// Columns of the terminal: what `launch/local` or the shell says, else 80.
package func terminalColumns(environment: [String: String]) -> Int {
  let words = ["DDP_TRAIN_COLUMNS", "COLUMNS"].compactMap { environment[$0] }
  return words.compactMap { Int($0) }.first { $0 > 0 } ?? 80
}
