import DataParallel
import Testing

@Suite("Sums inside a host")
struct HostSumTests {
  @Test("every subtree of the host is added up in tree order", arguments: 1...12)
  func order(shards: Int) {
    for ranks in 1...shards {
      for first in 0..<ranks {
        for end in first + 1...ranks { check(shards, ranks, host: first..<end) }
      }
    }
  }

  private func check(_ shards: Int, _ ranks: Int, host: Range<Int>) {
    let hosts = [0..<host.lowerBound, host, host.upperBound..<ranks].filter { !$0.isEmpty }
    let layout = HostLayout(hosts: hosts, shards: shards)
    let number = layout.host(ofRank: host.lowerBound)
    let sum = HostSum(layout, host: number)
    var values: [HostSum.Place: Expression] = [:]
    for (local, rank) in host.enumerated() {
      let own = SummationTree.subtrees(inside: layout.shards(ofRank: rank), shards: shards)
      for (slot, subtree) in own.enumerated() {
        values[.init(rank: local, slot: slot)] = .tree(subtree)
      }
    }
    var buffers = [Expression?](repeating: nil, count: sum.bufferCount)
    func value(_ operand: HostSum.Operand) -> Expression? {
      switch operand {
      case .place(let place): values[place]
      case .buffer(let index): buffers[index]
      }
    }
    for addition in sum.additions {
      guard let left = value(addition.left), let right = value(addition.right) else {
        Issue.record("\(addition) reads nothing")
        return
      }
      switch addition.target {
      case .place(let place): values[place] = left + right
      case .buffer(let index): buffers[index] = left + right
      }
    }
    #expect(sum.places.map { values[$0] } == sum.subtrees.map { .tree($0) })
    #expect(sum.places.first == .init(rank: 0, slot: 0))
  }

  @Test("two ranks add one into the other, without buffers")
  func pair() {
    let sum = HostSum(HostLayout(hosts: [0..<2], shards: 8), host: 0)
    let (first, second) = (HostSum.Place(rank: 0, slot: 0), HostSum.Place(rank: 1, slot: 0))
    #expect(
      sum.additions == [.init(left: .place(first), right: .place(second), target: .place(first))])
    #expect(sum.bufferCount == 0)
  }
}
