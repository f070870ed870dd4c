/// What a rank finds when it starts.
package struct RankAffinity: Equatable, Sendable {
  /// The CPUs that it may run on.
  package var allowed: CPUSet
  /// The CPUs that its parent, the launcher's process on this host, may run on; nil: not known.
  package var launcher: CPUSet?
  /// The cores' worth of time that its control groups leave it; nil: no limit.
  package var quota: Double?
  /// Those of its CPUs to which other running programs are bound.
  package var taken: CPUSet
  /// The kernel that it runs on, under whatever host name; empty: not known.
  package var machine: String

  package init(
    allowed: CPUSet, launcher: CPUSet? = nil, quota: Double? = nil, taken: CPUSet = CPUSet([]),
    machine: String = ""
  ) {
    self.machine = machine
    self.taken = taken
    self.allowed = allowed
    self.launcher = launcher
    self.quota = quota
  }

  /// - Parameters:
  ///   - parent: The process that started this one.
  ///   - looksAround: Whether to look for other programs, which costs some 20 microseconds for each.
  package static func read(
    _ files: SystemFiles, parent: Int32, looksAround: Bool = false
  ) -> RankAffinity? {
    guard let allowed = files.allowedCPUs(ofProcess: "self"), !allowed.isEmpty else { return nil }
    return RankAffinity(
      allowed: allowed, launcher: files.allowedCPUs(ofProcess: "\(parent)"),
      quota: CPUQuota.cores(reading: files),
      taken: looksAround ? taken(files, of: allowed, parent: parent) : CPUSet([]),
      machine: files.text("/proc/sys/kernel/random/boot_id") ?? "")
  }

  /// A job that pins its ranks where another has pinned its own would halve both.
  ///
  /// Who may use all of our CPUs leaves ours to us; threads of the kernel (children of process 2) are
  /// bound everywhere.
  private static func taken(_ files: SystemFiles, of allowed: CPUSet, parent: Int32) -> CPUSet {
    files.processes().reduce(CPUSet([])) { taken, process in
      let shared = process.allowed.intersection(allowed)
      let isBound = process.isRunning && shared != allowed
      return isBound && process.parent != 2 && process.parent != parent
        ? taken.union(shared) : taken
    }
  }

  /// Whether the launcher itself may use more CPUs than it gave this rank.
  var isNarrowed: Bool {
    guard let launcher else { return false }
    return allowed != launcher && allowed.isSubset(of: launcher)
  }
}

/// The form in which ranks tell each other: `allowed;launcher;quota;taken;machine`, what is not known left out.
extension RankAffinity {
  package var text: String {
    "\(allowed);\(launcher?.description ?? "");\(quota.map { "\($0)" } ?? "");\(taken);\(machine)"
  }

  package init?(_ text: String) {
    let parts = text.split(separator: ";", omittingEmptySubsequences: false)
    guard parts.count == 5, let allowed = CPUSet(parts[0]), !allowed.isEmpty else { return nil }
    self.init(
      allowed: allowed, launcher: parts[1].isEmpty ? nil : CPUSet(parts[1]),
      quota: Double(parts[2]), taken: CPUSet(parts[3]) ?? CPUSet([]),
      machine: String(parts[4]))
  }
}
