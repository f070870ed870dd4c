import Placement
import Testing

@Suite("Where the ranks of a host run")
struct HostPlacementTests {
  private func place(
    _ ranks: [RankAffinity], on machine: SysTexts, pin: Pinning = .auto, isWholeJob: Bool = true
  ) -> HostPlacement {
    HostPlacement(ranks, topology: machine.topology, pin: pin, isWholeJob: isWholeJob)
  }

  private func masks(_ host: HostPlacement) -> [[Int]?] {
    host.ranks.indices.map { host.mainThread(ofLocalRank: $0)?.cpus }
  }

  // MARK: Pinned

  @Test("each rank gets a core with all its hardware threads")
  func laptopRanks() {
    let host = place(ranks(3, on: "0-7"), on: laptop)
    #expect(masks(host) == [[0, 4], [1, 5], [2, 6]])
    #expect(
      "\(host)" == "one core per rank, in order: 0-2 (NUMA node 0); pinned by ddp-train")
    #expect(host.crowd == nil)
    #expect(host.otherThreads == CPUSet(0..<8))
  }

  @Test(
    "ranks are spread evenly over sockets, in contiguous blocks",
    arguments: [
      (2, [0, 8]), (4, [0, 1, 8, 9]), (5, [0, 1, 2, 8, 9]), (16, Array(0..<16)),
    ])
  func sockets(count: Int, cores: [Int]) {
    #expect(masks(place(ranks(count, on: "0-15"), on: twoSockets)) == cores.map { [$0] })
  }

  @Test(
    "over sockets first, then over the nodes in them",
    arguments: [
      (2, [0, 32]), (4, [0, 8, 32, 40]), (8, [0, 8, 16, 24, 32, 40, 48, 56]),
      (10, [0, 1, 8, 16, 24, 32, 33, 40, 48, 56]), (64, Array(0..<64)),
    ])
  func clusters(count: Int, cores: [Int]) {
    let host = place(ranks(count, on: "0-127"), on: clustered)
    #expect(masks(host) == cores.map { [$0, $0 + 64] })
  }

  @Test("the header names cores and nodes in the order of the ranks")
  func clusterText() {
    #expect(
      "\(place(ranks(16, on: "0-127"), on: clustered))" == """
        one core per rank, in order: 0-1 (NUMA node 0), 8-9 (NUMA node 1), 16-17 (NUMA node 2), \
        24-25 (NUMA node 3), 32-33 (NUMA node 4), 40-41 (NUMA node 5), 48-49 (NUMA node 6), \
        56-57 (NUMA node 7); pinned by ddp-train
        """)
  }

  @Test("over the caches of a node")
  func caches() {
    let host = place(ranks(6, on: "0-15"), on: fourCaches)
    #expect(masks(host) == [[0], [1], [4], [5], [8], [12]])
  }

  @Test("a node with less room than its part leaves the rest to the others")
  func unevenRoom() {
    let host = place(ranks(6, on: "6-15"), on: twoSockets)
    #expect(masks(host) == [[6], [7], [8], [9], [10], [11]])
  }

  @Test("holes in the CPU set are left out")
  func holes() {
    let host = place(ranks(4, on: "1,3-4,6,11"), on: twoSockets)
    #expect(masks(host) == [[1], [3], [4], [11]])
    #expect(
      "\(host)" == """
        one core per rank, in order: 1,3-4 (NUMA node 0), 11 (NUMA node 1); pinned by ddp-train
        """)
  }

  @Test("a CPU that is offline is nobody's")
  func offline() {
    let machine = SysTexts(cores: (0..<4).map { [$0, $0 + 4] }, offline: [1, 5])
    let host = place(ranks(3, on: "0,2-4,6-7"), on: machine)
    #expect(masks(host) == [[0, 4], [2, 6], [3, 7]])
  }

  @Test("two threads of one core are not two cores")
  func siblings() {
    let host = place(ranks(2, on: "0,4"), on: laptop)
    #expect(masks(host) == [nil, nil])
    #expect("\(host)" == "2 ranks share 1 core: waiting ranks yield")
  }

  @Test("fast cores come first, slow ones only when they are needed")
  func kinds() {
    var machine = SysTexts(cores: [[0], [1], [2, 3], [4, 5]])
    machine["/sys/devices/cpu_core/cpus"] = "2-5"
    #expect(masks(place(ranks(2, on: "0-5"), on: machine)) == [[2, 3], [4, 5]])
    #expect(masks(place(ranks(3, on: "0-5"), on: machine)) == [[0], [1], [2, 3]])
  }

  // MARK: Bound by the launcher

  @Test("ranks with different CPUs stay where the launcher put them")
  func boundApart() {
    let host = place(ranks(on: ["0", "1"], launcher: "0-15"), on: twoSockets)
    #expect(masks(host) == [nil, nil])
    #expect("\(host)" == "bound by the launcher, in order to CPUs 0 / 1")
    #expect(host.crowd == nil)
    #expect(host.otherThreads == CPUSet(0..<16), "what the launcher itself may use")
  }

  @Test("a launcher confined to less than its ranks tells nothing about their other threads")
  func strangeLauncher() {
    let host = place(ranks(on: ["0", "1"], launcher: "0"), on: twoSockets)
    #expect(host.otherThreads == CPUSet([0, 1]))
  }

  @Test("ranks bound to sockets share them without a crowd")
  func boundToSockets() {
    let host = place(ranks(on: ["0-7", "0-7", "8-15", "8-15"]), on: twoSockets)
    #expect(
      "\(host)" == "bound by the launcher, in order to CPUs 0-7 (2 ranks) / 8-15 (2 ranks)")
  }

  @Test("ranks bound onto each other are told")
  func boundTogether() {
    let apart = place(ranks(on: ["0", "0", "1"]), on: twoSockets)
    #expect(
      "\(apart)" == """
        bound by the launcher, in order to CPUs 0 (2 ranks) / 1; 2 ranks share 1 core: waiting \
        ranks yield
        """)
    let together = place(ranks(2, on: "3", launcher: "0-15"), on: twoSockets)
    #expect(together.binding == .launcher([CPUSet([3]), CPUSet([3])]))
    #expect(together.crowd == .init(ranks: 2, cores: 1))
  }

  @Test("one rank per host, bound to less than its launcher has, stays")
  func oneBound() {
    let host = place(ranks(1, on: "0", launcher: "0-15"), on: twoSockets, isWholeJob: false)
    #expect(host.binding == .launcher([CPUSet([0])]))
  }

  @Test("many bound ranks are shown by the first eight")
  func manyBound() {
    let host = place(ranks(on: (0..<16).map { "\($0)" }), on: twoSockets)
    #expect(
      "\(host)" == "bound by the launcher, in order to CPUs 0 / 1 / 2 / 3 / 4 / 5 / 6 / 7 / ...")
  }

  @Test("the same CPUs for all are a limit, not a binding: ranks are pinned inside")
  func confined() {
    let host = place(ranks(2, on: "4-7", launcher: "0-15"), on: twoSockets)
    #expect(masks(host) == [[4], [5]])
    #expect(host.otherThreads == CPUSet(4..<8))
  }

  // MARK: Free

  @Test("more ranks than cores are not pinned and yield")
  func tooMany() {
    let host = place(ranks(8, on: "0-7"), on: laptop)
    #expect(masks(host) == [[Int]?](repeating: nil, count: 8))
    #expect("\(host)" == "8 ranks share 4 cores: waiting ranks yield")
    #expect(host.otherThreads == nil)
  }

  @Test(
    "more ranks than the quota are not pinned and yield",
    arguments: [
      (2, 1.5, "2 ranks share 1.5 cores of CPU quota: waiting ranks yield"),
      (3, 1.0, "3 ranks share 1 core of CPU quota: waiting ranks yield"),
      (8, 2.0, "8 ranks share 2 cores of CPU quota: waiting ranks yield"),
      (1, 1.5, "one core per rank, in order: 0 (NUMA node 0); pinned by ddp-train"),
      (2, 2.0, "one core per rank, in order: 0-1 (NUMA node 0); pinned by ddp-train"),
    ])
  func quota(count: Int, quota: Double, text: String) {
    let host = place(ranks(count, on: "0-7", quota: quota), on: laptop, isWholeJob: false)
    #expect("\(host)" == text)
  }

  @Test("the scarcer of cores and quota is named")
  func scarcer() {
    #expect(place(ranks(8, on: "0-7", quota: 6), on: laptop).crowd == .init(ranks: 8, cores: 4))
  }

  @Test("a run of one rank is left to the system")
  func alone() {
    let host = place(ranks(1, on: "0-7"), on: laptop)
    #expect("\(host)" == "any of 4 cores; one rank is not pinned")
    #expect(masks(host) == [nil])
    let many = place(ranks(1, on: "0-7"), on: laptop, isWholeJob: false)
    #expect(masks(many) == [[0, 4]])
  }

  @Test("placement.pin: off pins nobody, and still says who shares cores")
  func off() {
    let roomy = place(ranks(2, on: "0-15"), on: twoSockets, pin: .off)
    #expect("\(roomy)" == "any of 16 cores (NUMA nodes 0-1); placement.pin is off")
    #expect(masks(roomy) == [nil, nil] && roomy.crowd == nil)
    let crowded = place(ranks(8, on: "0-7"), on: laptop, pin: .off)
    #expect(
      "\(crowded)"
        == "any of 4 cores; placement.pin is off; 8 ranks share 4 cores: waiting ranks yield")
  }

  @Test("cores to which other running programs are bound are left to them")
  func taken() {
    var crowd = ranks(4, on: "0-15")
    crowd[0].taken = CPUSet([0, 1, 8])
    #expect(masks(place(crowd, on: twoSockets)) == [[2], [3], [9], [10]])
    crowd[0].taken = CPUSet(0..<13)
    let host = place(crowd, on: twoSockets)
    #expect(masks(host) == [nil, nil, nil, nil])
    #expect(
      "\(host)" == "any of 16 cores (NUMA nodes 0-1); other programs are bound to CPUs 0-12")
    #expect(host.crowd == nil, "cores there are")
  }

  @Test("a system that refuses to pin is named")
  func refused() {
    var host = place(ranks(2, on: "0-7"), on: laptop)
    host.refuse()
    #expect("\(host)" == "any of 4 cores; the system refused to pin")
    #expect(masks(host) == [nil, nil])
  }
}
