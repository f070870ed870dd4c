import Collectives
import Glibc
import Placement
import Storage
import Testing

@Suite("Placing the ranks of a job")
struct JobPlacementTests {
  @Test("one rank alone stays where it is")
  func alone() throws {
    let before = SystemFiles.live.allowedCPUs(ofProcess: "thread-self")
    let placement = try JobPlacement(PlacementSpec(), over: SoloCollectives())
    #expect(placement.lines.count == 1)
    #expect(SystemFiles.live.allowedCPUs(ofProcess: "thread-self") == before)
  }

  @Test("where /proc cannot be read, the header says so")
  func unreadable() throws {
    let placement = try JobPlacement(
      PlacementSpec(), over: SoloCollectives(), files: SystemFiles { _ in nil })
    #expect(placement.lines == ["not known: /proc/self/status cannot be read"])
    #expect(placement.host == nil)
  }

  @Test("hosts that are alike share a line, and five lines are the most")
  func lines() {
    #expect(JobPlacement.lines([("a", ["n0"])]) == ["a"])
    #expect(JobPlacement.lines([("a", ["n0", "n1"])]) == ["on each host a"])
    #expect(JobPlacement.lines([("a", ["n0", "n2"]), ("b", ["n1"])]) == ["n0, n2: a", "n1: b"])
    let many = (0..<7).map { ("text \($0)", ["n\($0)"]) }
    #expect(
      JobPlacement.lines(many) == [
        "n0: text 0", "n1: text 1", "n2: text 2", "n3: text 3",
        "3 more hosts, each in another way",
      ])
    let large = [("a", (0..<5).map { "n\($0)" }), ("b", ["m"])]
    #expect(JobPlacement.lines(large) == ["5 hosts (n0 ...): a", "m: b"])
  }

  @Test("what ranks tell each other arrives as it was")
  func coding() {
    for affinity in [
      RankAffinity(allowed: CPUSet([0, 3, 4])),
      RankAffinity(
        allowed: CPUSet([1]), launcher: CPUSet(0..<4), quota: 1.5, taken: CPUSet([2]),
        machine: "f-1"),
    ] {
      #expect(RankAffinity(affinity.text) == affinity)
    }
    #expect(RankAffinity("") == nil)
  }

  @Test("hosts of one machine share its CPUs, unless they were given different ones")
  func neighbours() {
    func find(_ machines: [String], _ cpus: [String], of rank: Int) -> [Int] {
      let found = zip(machines, cpus).map { machine, cpus in
        CPUSet(cpus).map { RankAffinity(allowed: $0, machine: machine) }
      }
      return JobPlacement.neighbours(of: rank, found, hostNumbers: [0, 0, 1, 1])
    }
    let all = [String](repeating: "0-3", count: 4)
    #expect(find(["a", "a", "b", "b"], all, of: 0) == [0, 1])
    #expect(find(["a", "a", "a", "a"], all, of: 3) == [0, 1, 2, 3])
    #expect(find(["a", "a", "a", "a"], ["0-1", "0-1", "2-3", "2-3"], of: 3) == [2, 3])
    #expect(find(["a", "a", "a", "a"], ["0", "1", "0", "1"], of: 1) == [0, 1, 2, 3])
    #expect(find(["", "", "", ""], all, of: 2) == [2, 3])
  }

  @Test("a thread started by a bound one may be freed again")
  func otherThreads() throws {
    let all = try #require(SystemFiles.live.allowedCPUs(ofProcess: "thread-self"))
    let first = CPUSet([all.cpus[0]])
    let seen = BackgroundThread {
      ThreadAffinity.set(first)
      return BackgroundThread { () -> [CPUSet?] in
        let inherited = SystemFiles.live.allowedCPUs(ofProcess: "thread-self")
        ThreadAffinity.set(all)
        return [inherited, SystemFiles.live.allowedCPUs(ofProcess: "thread-self")]
      }.wait()
    }.wait()
    #expect(seen == [first, all])
    #expect(SystemFiles.live.allowedCPUs(ofProcess: "thread-self") == all)
  }

  @Test("a CPU that does not exist is refused")
  func noSuchCPU() {
    let isBound = BackgroundThread { ThreadAffinity.set(CPUSet([100_000])) }.wait()
    #expect(!isBound)
    #expect(!ThreadAffinity.set(CPUSet([])))
  }
}
