import Foundation
import Storage

/// A group of one rank, for runs without `mpirun`: what all ranks do together is done at once.
package final class SoloCollectives: Collectives {
  package let hosts: [String]
  package let hostNumbers = [0]
  package var onPause: (() -> Void)?
  private var slotCount = 0

  package init(hostName: String = ProcessInfo.processInfo.hostName) {
    hosts = [hostName]
  }

  package var rank: Int { 0 }
  package var ranks: Int { 1 }

  package func barrier() {}

  package func broadcast(_ bytes: inout [UInt8], from root: Int) {
    requireOnlyRank(root)
  }

  package func broadcast<Element: BitwiseCopyable>(_ block: Block<Element>, from root: Int) {
    requireOnlyRank(root)
  }

  package func gather(_ bytes: [UInt8], to root: Int) -> [[UInt8]]? {
    requireOnlyRank(root)
    return [bytes]
  }

  package func allGather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }

  package func allMaximum(_ value: Int) -> Int { value }

  package func shareMemory<Element: BitwiseCopyable>(
    _ type: Element.Type, count: Int
  ) -> SharedMemory<Element>? {
    SharedMemory(alone: count)
  }

  package func reserveSlots(_ count: Int) -> Range<Int> {
    defer { slotCount += count }
    return slotCount..<slotCount + count
  }

  package func startSend<Element: BitwiseCopyable>(
    _ block: Block<Element>, to rank: Int, tag: Int, slot: Int
  ) {
    preconditionFailure("a message to rank \(rank) of 1")
  }

  package func startReceive<Element: BitwiseCopyable>(
    _ block: Block<Element>, from rank: Int, tag: Int, slot: Int
  ) {
    preconditionFailure("a message from rank \(rank) of 1")
  }

  package func test(_ slot: Int) -> Bool { true }

  package func wait(_ slot: Int) {}

  package func pause(attempt: Int) {}

  package func finish() {}

  package func abort(exitCode: Int32) -> Never { exit(exitCode) }

  private func requireOnlyRank(_ root: Int) {
    precondition(root == 0, "rank \(root) of 1")
  }
}
