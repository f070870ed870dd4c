import Foundation
import Testing

/// What `mpirun` and ddp-train between them do to the ranks' CPUs, seen from outside.
@Suite("Placement of real ranks", .serialized, .enabled(if: coreCount >= 2, "needs two cores"))
struct RankPlacementTests {
  private let longJob = [
    "table.yaml", "training.epochs=100000", "output.folder=runs/long", "--progress", "none",
  ]

  /// The `Cpus_allowed_list` of a process's threads, the main thread's first.
  private func masks(ofProcess process: Int32) -> [String] {
    let folder = "/proc/\(process)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let numbers = threads.compactMap { Int32($0) }.sorted {
      $0 == process || ($1 != process && $0 < $1)
    }
    return numbers.compactMap { thread in
      let status = try? String(contentsOfFile: "\(folder)/\(thread)/status", encoding: .utf8)
      let line = status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
      return line?.split(separator: "\t").last.map(String.init)
    }
  }

  private func children(of process: Int32) -> [Int32] {
    let path = "/proc/\(process)/task/\(process)/children"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { Int32($0) }
  }

  /// Starts a job, looks at its ranks' main threads when it trains, and ends it.
  private func look(ranks: Int, _ more: [String] = []) throws -> (masks: [String], header: String) {
    let command = try Command.table()
    defer { command.remove() }
    let process = try command.start(ranks: ranks, longJob + more)
    for _ in 0..<200
    where !FileManager.default.fileExists(atPath: command.path("runs/long/metrics.jsonl")) {
      Thread.sleep(forTimeInterval: 0.1)
    }
    let seen = children(of: process.processIdentifier).compactMap { masks(ofProcess: $0).first }
    process.terminate()
    return (seen, placementLine(try command.result(of: process).output))
  }

  private func placementLine(_ output: String) -> String {
    let line = output.split(separator: "\n").first { $0.hasPrefix("placement ") }
    return String(line?.dropFirst("placement  ".count) ?? "")
  }

  @Test("ranks that the launcher left free are pinned to cores of their own")
  func pinned() throws {
    let all = masks(ofProcess: getpid())[0]
    let (seen, header) = try look(ranks: 2)
    #expect(seen.count == 2)
    if isBesideOthers(header) {
      #expect(Set(seen) == [all], "\(header)")
    } else {
      #expect(header.hasPrefix("one core per rank, in order: "), "\(header)")
      #expect(header.hasSuffix("; pinned by ddp-train"), "\(header)")
      #expect(Set(seen).count == 2 && !seen.contains(all), "\(seen) of \(all)")
    }
  }

  @Test("placement.pin=off leaves them free")
  func off() throws {
    let all = masks(ofProcess: getpid())[0]
    let (seen, header) = try look(ranks: 2, ["placement.pin=off"])
    #expect(seen == [all, all])
    #expect(header.contains("placement.pin is off"), "\(header)")
  }

  @Test("more ranks than cores are left free, and the header says that they yield")
  func crowd() throws {
    let many = coreCount + 1
    guard many <= 8 else { return }
    let (seen, header) = try look(ranks: many)
    #expect(Set(seen) == [masks(ofProcess: getpid())[0]])
    #expect(header.hasPrefix("\(many) ranks share \(coreCount) core"), "\(header)")
    #expect(header.hasSuffix(": waiting ranks yield"), "\(header)")
  }

  /// Other tests' ranks are pinned too; who finds them there keeps away.
  private func isBesideOthers(_ header: String) -> Bool {
    header.contains("other programs are bound to CPUs")
  }
}

/// The physical cores that a job may use here, as `launch/cores` counts them.
private let coreCount: Int = {
  let process = Process()
  process.executableURL = Command.repository.appendingPathComponent("launch/cores")
  let output = Pipe()
  process.standardOutput = output
  guard (try? process.run()) != nil else { return 1 }
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 1
}()
