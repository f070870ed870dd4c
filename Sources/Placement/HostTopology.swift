/// One physical core: the CPUs that share its arithmetic units, and what it is near to.
package struct Core: Equatable, Sendable {
  /// Its hardware threads that are online.
  package var cpus: CPUSet
  /// The socket.
  package var package: Int
  /// The NUMA node.
  package var node: Int
  /// Cores with the same number share a last-level cache.
  package var cache: Int
  /// Whether no core of the host computes faster.
  package var isFast: Bool

  package init(cpus: CPUSet, package: Int = 0, node: Int = 0, cache: Int = 0, isFast: Bool = true) {
    self.cpus = cpus
    self.package = package
    self.node = node
    self.cache = cache
    self.isFast = isFast
  }

  /// The core's name: its first CPU.
  package var number: Int { cpus.cpus[0] }
}

/// The online cores of a host, those near each other side by side.
package struct HostTopology: Equatable, Sendable {
  package let cores: [Core]

  package init(cores: [Core]) {
    self.cores = cores.sorted { Self.order($0) < Self.order($1) }
  }

  private static func order(_ core: Core) -> (Int, Int, Int, Int) {
    (core.package, core.node, core.cache, core.number)
  }

  /// Reads `/sys/devices/system/cpu` and `node`.
  ///
  /// - Parameter allowed: Taken as the CPUs, each a core of its own, where there is no `/sys`.
  package init(reading files: SystemFiles, allowed: CPUSet) {
    let folder = "/sys/devices/system"
    let online = files.cpus("\(folder)/cpu/online") ?? allowed
    var nodes: [Int: Int] = [:]
    for node in files.cpus("\(folder)/node/online")?.cpus ?? [] {
      for cpu in files.cpus("\(folder)/node/node\(node)/cpulist")?.cpus ?? [] { nodes[cpu] = node }
    }
    let fast = Self.fastCPUs(files, online: online)
    var cores: [Core] = []
    var seen: Set<Int> = []
    for cpu in online.cpus where !seen.contains(cpu) {
      let place = "\(folder)/cpu/cpu\(cpu)"
      let siblings =
        files.cpus("\(place)/topology/core_cpus_list")
        ?? files.cpus("\(place)/topology/thread_siblings_list") ?? CPUSet([cpu])
      // A sibling that is offline leaves the lists; a list without the CPU itself would be broken.
      let cpus = siblings.intersection(online).union(CPUSet([cpu]))
      seen.formUnion(cpus.cpus)
      cores.append(
        Core(
          cpus: cpus, package: files.number("\(place)/topology/physical_package_id") ?? 0,
          node: nodes[cpu] ?? 0,
          cache: files.cpus("\(place)/cache/index3/shared_cpu_list")?.cpus.first ?? -1,
          isFast: fast.map { !$0.intersection(cpus).isEmpty } ?? true))
    }
    self.init(cores: cores)
  }

  /// The CPUs of the fastest kind on a host that mixes kinds; nil: there is one kind.
  private static func fastCPUs(_ files: SystemFiles, online: CPUSet) -> CPUSet? {
    if let fast = files.cpus("/sys/devices/cpu_core/cpus"), !fast.isEmpty { return fast }
    let capacities = online.cpus.map { cpu in
      files.number("/sys/devices/system/cpu/cpu\(cpu)/cpu_capacity") ?? 0
    }
    guard let most = capacities.max(), most > 0 else { return nil }
    return CPUSet(zip(online.cpus, capacities).filter { $0.1 == most }.map(\.0))
  }

  /// The cores that a process may use, each with those of its CPUs that it may use.
  package func cores(within allowed: CPUSet) -> [Core] {
    cores.compactMap { core in
      var core = core
      core.cpus = core.cpus.intersection(allowed)
      return core.cpus.isEmpty ? nil : core
    }
  }
}
