import Placement
import Testing

@Suite("Sets of CPUs")
struct CPUSetTests {
  @Test(
    "lists are read as Linux writes them, and written the same way",
    arguments: [
      ("", [], ""), ("0", [0], "0"), ("0-3", [0, 1, 2, 3], "0-3"), ("5,0-1", [0, 1, 5], "0-1,5"),
      ("0-1,2-3\n", [0, 1, 2, 3], "0-3"), ("\t1,1", [1], "1"), ("1023", [1023], "1023"),
    ] as [(String, [Int], String)])
  func lists(text: String, cpus: [Int], written: String) throws {
    let set = try #require(CPUSet(text))
    #expect(set.cpus == cpus)
    #expect("\(set)" == written)
  }

  @Test("what is no list is refused", arguments: ["a", "3-1", "-1", "1-2-3", "0-", "0x1"])
  func noList(text: String) {
    #expect(CPUSet(text) == nil)
  }

  @Test("sets meet, join and contain each other")
  func algebra() {
    let (low, high) = (CPUSet(0..<4), CPUSet([2, 3, 9]))
    #expect(low.intersection(high) == CPUSet([2, 3]))
    #expect(low.union(high) == CPUSet([0, 1, 2, 3, 9]))
    #expect(CPUSet([2, 3]).isSubset(of: low) && !high.isSubset(of: low))
  }
}
