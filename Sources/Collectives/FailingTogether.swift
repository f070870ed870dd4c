import Foundation

/// Runs a command on all ranks and ends the process: 0 when it went well, else as `failTogether`.
package func runTogether(_ group: any Collectives, _ body: () throws -> Void) -> Never {
  do {
    try body()
    try group.finish()
  } catch let end as AgreedFailure where end.isOrderly {
    group.partTogether(end)
  } catch {
    group.failTogether(error)
  }
  exit(0)
}

extension Collectives {
  /// Ends a run that all ranks stop at the same point: rank 0 says why, and every process ends by itself
  /// with the exit code.
  package func partTogether(_ end: AgreedFailure) -> Never {
    do {
      if isRoot { printError(end.message) }
      try finish()
    } catch {
      failTogether(error)
    }
    exit(end.exitCode)
  }

  /// Prints `error` as the last thing the job says and ends all ranks within seconds.
  ///
  /// - An `AgreedFailure` is known everywhere: rank 0 prints it once, the others wait to be ended.
  /// - Any other error is this rank's own: it prints the error behind its name and ends all ranks,
  ///   which may be waiting for it anywhere.
  package func failTogether(_ error: any Error) -> Never {
    guard error is AgreedFailure else {
      printError(ownMessage(of: error))
      abort(exitCode: AgreedFailure.exitCode(for: error))
    }
    // A group that cannot even meet any more is ended by whoever notices.
    let metOthers = (try? barrier()) != nil
    if isRoot { printError(describe(error)) }
    if metOthers, !isRoot { waitToBeEnded() }
    abort(exitCode: AgreedFailure.exitCode(for: error))
  }

  /// `rank 1 of 4 (node7): message`; one rank alone needs no name.
  func ownMessage(of error: any Error) -> String {
    let text = describe(error)
    let prefix = "\(identity): "
    return ranks == 1 || text.hasPrefix(prefix) ? text : prefix + text
  }

  /// Rank 0 ends this rank; should it have died instead, this rank goes by itself.
  private func waitToBeEnded() {
    Thread.sleep(forTimeInterval: 3)
  }
}

/// One write, so that lines of several ranks do not mix.
package func printError(_ text: String) {
  FileHandle.standardError.write(Data("\(text)\n".utf8))
}
