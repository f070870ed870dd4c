/// What this process occupies of the machine's memory, as Linux counts it.
package struct ProcessMemory: Equatable, Sendable {
  /// Bytes in memory now (VmRSS).
  package let residentByteCount: Int
  /// The most there ever were (VmHWM).
  package let peakByteCount: Int

  /// The state now, or nil where there is no `/proc`.
  package static func read() -> ProcessMemory? {
    guard let file = try? OpenFile(reading: "/proc/self/status") else { return nil }
    let text = AlignedMemory<UInt8>(count: 1 << 14).withBlock { buffer in
      let length = (try? file.read(into: buffer, at: 0)) ?? 0
      return String(decoding: buffer.prefix(length).array, as: UTF8.self)
    }
    return ProcessMemory(status: text)
  }

  /// - Parameter status: The text of `/proc/self/status`; lines such as `VmRSS:	   1234 kB`.
  init?(status: String) {
    guard let resident = Self.kibibytes("VmRSS:", in: status),
      let peak = Self.kibibytes("VmHWM:", in: status)
    else { return nil }
    residentByteCount = resident * 1024
    peakByteCount = peak * 1024
  }

  private static func kibibytes(_ key: String, in status: String) -> Int? {
    let line = status.split(separator: "\n").first { $0.hasPrefix(key) }
    let words = line?.dropFirst(key.count).split { $0 == " " || $0 == "\t" }
    return words?.first.flatMap { Int($0) }
  }
}
