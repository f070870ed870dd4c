/// What Linux says of a process, in `/proc`; nothing where there is none.
package enum ProcessState {
  /// Whether a signal or a debugger has stopped the process.
  package static func isStopped(_ process: Int32) -> Bool {
    let text = contents(of: "/proc/\(process)/stat")
    // "pid (name) state ...": the name may hold anything.
    guard let close = text.lastIndex(of: ")") else { return false }
    let state = text[text.index(after: close)...].drop { $0 == " " }.first
    return state == "T" || state == "t"
  }

  /// The bytes that this process has read and written so far, by any call.
  package static var transferredByteCount: Int {
    contents(of: "/proc/self/io").split(separator: "\n").prefix(2).reduce(0) { sum, line in
      sum + (line.split(separator: " ").last.flatMap { Int($0) } ?? 0)
    }
  }

  private static func contents(of path: String) -> String {
    guard let file = try? OpenFile(reading: path) else { return "" }
    return AlignedMemory<UInt8>(count: 1 << 12).withBlock { buffer in
      let length = (try? file.read(into: buffer, at: 0)) ?? 0
      return String(decoding: buffer.prefix(length).array, as: UTF8.self)
    }
  }
}
