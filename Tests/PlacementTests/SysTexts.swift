import Placement

/// Texts of `/sys` and `/proc` for machines that nobody here owns.
struct SysTexts {
  var files: [String: String] = [:]

  /// - Parameters:
  ///   - cores: The CPUs of each core.
  ///   - node, package, cache: By the core's position.
  init(
    cores: [[Int]], offline: [Int] = [], node: (Int) -> Int = { _ in 0 },
    package: (Int) -> Int = { _ in 0 }, cache: ((Int) -> Int)? = nil
  ) {
    let online = cores.joined().filter { !offline.contains($0) }
    self["/sys/devices/system/cpu/online"] = list(online)
    let nodes = Set(cores.indices.map(node)).sorted()
    self["/sys/devices/system/node/online"] = list(nodes)
    for number in nodes {
      let cpus = cores.indices.filter { node($0) == number }.flatMap { cores[$0] }
      self["/sys/devices/system/node/node\(number)/cpulist"] = list(
        cpus.filter(online.contains))
    }
    for (index, cpus) in cores.enumerated() {
      for cpu in cpus where online.contains(cpu) {
        let folder = "/sys/devices/system/cpu/cpu\(cpu)"
        self["\(folder)/topology/core_cpus_list"] = list(cpus.filter(online.contains))
        self["\(folder)/topology/physical_package_id"] = "\(package(index))"
        if let cache {
          let sharing = cores.indices.filter { cache($0) == cache(index) }.flatMap { cores[$0] }
          self["\(folder)/cache/index3/shared_cpu_list"] = list(sharing)
        }
      }
    }
  }

  subscript(path: String) -> String? {
    get { files[path] }
    set { files[path] = newValue }
  }

  /// A process whose main thread may run on `cpus`.
  mutating func add(process: Int, on cpus: String, state: String = "R (running)", parent: Int = 1) {
    self["/proc/\(process)/status"] = """
      Name:\tprogram
      State:\t\(state)
      PPid:\t\(parent)
      Cpus_allowed_list:\t\(cpus)
      """
  }

  var system: SystemFiles {
    let files = files
    return SystemFiles { path in
      files[path].map { $0 + "\n" }
    } list: { folder in
      let names = files.keys.filter { $0.hasPrefix(folder + "/") }
      return Set(names.compactMap { $0.dropFirst(folder.count + 1).split(separator: "/").first })
        .map(String.init)
    }
  }

  var topology: HostTopology { HostTopology(reading: system, allowed: CPUSet([0])) }

  private func list(_ numbers: [Int]) -> String { "\(CPUSet(numbers))" }
}

/// One socket, four cores, eight threads, as laptops and desktops number them: core k has CPUs k and k + 4.
let laptop = SysTexts(cores: (0..<4).map { [$0, $0 + 4] })

/// Two sockets of eight cores without hardware threads, a NUMA node each.
let twoSockets = SysTexts(cores: (0..<16).map { [$0] }, node: { $0 / 8 }, package: { $0 / 8 })

/// 64 cores in two sockets, each cut into four NUMA nodes (sub-NUMA clusters) of eight cores; CPU k + 64
/// is the second thread of core k. The nodes' numbers run across the sockets, as some machines have them.
let clustered = SysTexts(
  cores: (0..<64).map { [$0, $0 + 64] }, node: { $0 / 8 }, package: { $0 / 32 })

/// One node with four caches of four cores.
let fourCaches = SysTexts(cores: (0..<16).map { [$0] }, cache: { $0 / 4 })

func ranks(_ count: Int, on cpus: String, launcher: String? = nil, quota: Double? = nil)
  -> [RankAffinity]
{
  ranks(on: [String](repeating: cpus, count: count), launcher: launcher, quota: quota)
}

func ranks(on masks: [String], launcher: String? = nil, quota: Double? = nil) -> [RankAffinity] {
  masks.map {
    RankAffinity(
      allowed: CPUSet($0) ?? CPUSet([]), launcher: launcher.flatMap { CPUSet($0) }, quota: quota)
  }
}
