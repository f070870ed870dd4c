import Placement
import Testing

@Suite("Reading the machine")
struct TopologyTests {
  @Test("hardware threads of one core are one core")
  func hardwareThreads() {
    #expect(laptop.topology.cores.map(\.cpus.cpus) == [[0, 4], [1, 5], [2, 6], [3, 7]])
  }

  @Test("older kernels call the list of siblings by another name")
  func olderKernel() {
    var texts = SysTexts(cores: [[0, 1]])
    for cpu in 0...1 {
      let folder = "/sys/devices/system/cpu/cpu\(cpu)/topology"
      texts["\(folder)/thread_siblings_list"] = texts["\(folder)/core_cpus_list"]
      texts["\(folder)/core_cpus_list"] = nil
    }
    #expect(texts.topology.cores.map(\.cpus.cpus) == [[0, 1]])
  }

  @Test("sockets and NUMA nodes are found, also when a node's numbers interleave")
  func nodes() {
    let cores = SysTexts(
      cores: (0..<8).map { [$0] }, node: { $0 % 2 }, package: { $0 % 2 }
    ).topology.cores
    #expect(cores.map(\.number) == [0, 2, 4, 6, 1, 3, 5, 7])
    #expect(cores.map(\.node) == [0, 0, 0, 0, 1, 1, 1, 1])
    #expect(clustered.topology.cores.map(\.node) == (0..<64).map { $0 / 8 })
  }

  @Test("CPUs that are offline do not count, nor cores of which all are")
  func offline() {
    let texts = SysTexts(cores: (0..<4).map { [$0, $0 + 4] }, offline: [2, 5, 6])
    #expect(texts.topology.cores.map(\.cpus.cpus) == [[0, 4], [1], [3, 7]])
  }

  @Test("a process that may use some CPUs has parts of cores")
  func allowed() {
    let cores = laptop.topology.cores(within: CPUSet([1, 4, 5, 6]))
    #expect(cores.map(\.cpus.cpus) == [[4], [1, 5], [6]])
  }

  @Test("without /sys each CPU is a core")
  func nothing() {
    let topology = HostTopology(reading: SystemFiles { _ in nil }, allowed: CPUSet([3, 5]))
    #expect(topology.cores.map(\.cpus.cpus) == [[3], [5]])
    #expect(topology.cores.allSatisfy { $0.node == 0 && $0.isFast })
  }

  @Test("kinds of cores are told apart, on Intel by name and elsewhere by capacity")
  func kinds() {
    var intel = SysTexts(cores: [[0, 1], [2, 3], [4], [5]])
    intel["/sys/devices/cpu_core/cpus"] = "0-3"
    var arm = SysTexts(cores: (0..<4).map { [$0] })
    for cpu in 0..<4 {
      arm["/sys/devices/system/cpu/cpu\(cpu)/cpu_capacity"] = cpu < 2 ? "446" : "1024"
    }
    #expect(intel.topology.cores.map(\.isFast) == [true, true, false, false])
    #expect(arm.topology.cores.map(\.isFast) == [false, false, true, true])
  }

  @Test("programs bound beside us are seen: running, not the kernel's, not of our own job")
  func others() throws {
    var texts = twoSockets
    let own = "PPid:\t70\nCpus_allowed_list:\t0-7"
    texts["/proc/self/status"] = own
    texts["/proc/71/status"] = "State:\tR (running)\n\(own)"
    texts["/proc/uptime"] = "1 2"
    texts.add(process: 70, on: "0-15")
    texts.add(process: 72, on: "7", parent: 70)
    texts.add(process: 20, on: "3", parent: 2)
    texts.add(process: 30, on: "4", state: "S (sleeping)")
    texts.add(process: 40, on: "8-15")
    texts.add(process: 41, on: "0-15")
    let alone = try #require(
      RankAffinity.read(texts.system, parent: 70, looksAround: true))
    #expect(alone == RankAffinity(allowed: CPUSet(0..<8), launcher: CPUSet(0..<16)))
    texts.add(process: 50, on: "1")
    texts.add(process: 51, on: "2,9")
    #expect(
      RankAffinity.read(texts.system, parent: 70, looksAround: true)?.taken == CPUSet([1, 2]))
    #expect(RankAffinity.read(texts.system, parent: 70)?.taken == CPUSet([]))
  }

  @Test("this machine's own files are read")
  func live() throws {
    let own = try #require(RankAffinity.read(.live, parent: 1))
    let topology = HostTopology(reading: .live, allowed: own.allowed)
    let cpus = topology.cores.reduce(CPUSet([])) { $0.union($1.cpus) }
    #expect(own.allowed.isSubset(of: cpus))
    #expect(topology.cores.reduce(0) { $0 + $1.cpus.count } == cpus.count)
  }
}
