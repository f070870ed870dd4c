import Foundation

/// Linux's descriptions of the machine and of this process, by path; tests bring texts of their own.
package struct SystemFiles {
  /// The text without the white space around it; nil: there is no such file, or it cannot be read.
  private let read: (_ path: String) -> String?
  private let list: (_ folder: String) -> [String]

  package init(
    _ read: @escaping (_ path: String) -> String?,
    list: @escaping (_ folder: String) -> [String] = { _ in [] }
  ) {
    self.read = read
    self.list = list
  }

  /// This machine's.
  package static var live: SystemFiles {
    SystemFiles { path in
      FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    } list: { folder in
      (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }
  }

  package func text(_ path: String) -> String? {
    read(path)?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  package func cpus(_ path: String) -> CPUSet? { text(path).flatMap { CPUSet($0) } }

  package func number(_ path: String) -> Int? { text(path).flatMap { Int($0) } }

  /// The CPUs that the main thread of a process may run on (`Cpus_allowed_list` of its status).
  ///
  /// - Parameter process: A process id, or `self`.
  package func allowedCPUs(ofProcess process: String) -> CPUSet? {
    text("/proc/\(process)/status").flatMap { ProcessStatus($0) }?.allowed
  }

  /// All processes that can be seen.
  func processes() -> [ProcessStatus] {
    list("/proc").filter { Int($0) != nil }.compactMap { text("/proc/\($0)/status") }
      .compactMap { ProcessStatus($0) }
  }
}

/// What `/proc/<process>/status` says of a process's main thread.
struct ProcessStatus {
  let allowed: CPUSet
  /// At this moment, or waiting for a core to run on.
  let isRunning: Bool
  let parent: Int

  init?(_ text: String) {
    var values: [Substring: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { values[parts[0]] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    guard let allowed = values["Cpus_allowed_list"].flatMap({ CPUSet($0) }) else { return nil }
    self.allowed = allowed
    isRunning = values["State"]?.hasPrefix("R") ?? false
    parent = values["PPid"].flatMap { Int($0) } ?? 0
  }
}
