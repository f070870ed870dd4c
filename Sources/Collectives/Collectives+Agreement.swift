extension Collectives {
  /// Runs `body` on every rank; if it fails on any of them, all throw the same `AgreedFailure`.
  ///
  /// What all ranks say alike is said once; what only some say is prefixed with their names.
  package func agree<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      let result = try body()
      try throwIfAnyFailed(own: [])
      return result
    } catch let failure as AgreedFailure {
      throw failure
    } catch let failure as CollectivesError {
      throw failure
    } catch {
      try throwIfAnyFailed(own: report(of: error))
      preconditionFailure("the failure of \(identity) was lost: \(error)")
    }
  }

  /// One byte for the exit code, then the message.
  private func report(of error: any Error) -> [UInt8] {
    [UInt8(truncatingIfNeeded: AgreedFailure.exitCode(for: error))] + Array(describe(error).utf8)
  }

  private func throwIfAnyFailed(own: [UInt8]) throws {
    guard try anyRank(!own.isEmpty) else { return }
    throw AgreedFailure(reports: try allGather(own), hosts: hosts)
  }
}

extension AgreedFailure {
  /// - Parameter reports: By rank: exit code and message, or nothing from a rank that did not fail.
  init(reports: [[UInt8]], hosts: [String]) {
    let failed = reports.indices.filter { !reports[$0].isEmpty }
    let code = failed.map { Int32(reports[$0][0]) }.max() ?? 1
    let texts = failed.map { String(decoding: reports[$0].dropFirst(), as: UTF8.self) }
    if failed.count == reports.count, Set(texts).count == 1 {
      self.init(message: texts[0], exitCode: code)
      return
    }
    let lines = zip(failed, texts).map { rank, text in
      "\(RankIdentity(rank: rank, ranks: hosts.count, host: hosts[rank])): \(text)"
    }
    self.init(message: lines.joined(separator: "\n"), exitCode: code)
  }
}
