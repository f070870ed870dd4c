import Collectives
import Placement
import Testing

extension DistributedTests {
  @Suite("Where ranks run", .serialized)
  @MPIThread
  struct PlacementTests {
    let group: any Collectives

    init() throws {
      group = try DistributedTests.group()
    }

    @Test("the ranks' CPUs are what the decision says, and go back to what they were")
    func masks() throws {
      let before = try #require(SystemFiles.live.allowedCPUs(ofProcess: "thread-self"))
      defer { ThreadAffinity.set(before) }
      let placement = try JobPlacement(PlacementSpec(), over: group)
      defer { group.adjustWaiting(sharesCores: true) }
      let host = try #require(placement.host)
      let own = try #require(SystemFiles.live.allowedCPUs(ofProcess: "thread-self"))
      let all = try group.allGather(Array("\(own)".utf8)).compactMap {
        CPUSet(String(decoding: $0, as: UTF8.self))
      }
      if case .pinned(let cores) = host.binding {
        #expect(all == cores.map(\.cpus))
        #expect(Set(all).count == group.ranks)
        #expect(group.ranks <= host.cores.count)
      } else {
        #expect(own == before)
      }
      let quota = host.ranks.compactMap(\.quota).min() ?? .infinity
      let room = min(Double(host.cores.count), quota)
      #expect((host.crowd != nil) == (Double(group.ranks) > room))
      placement.freeThisThread()
      #expect(SystemFiles.live.allowedCPUs(ofProcess: "thread-self") == before)
    }
  }
}
