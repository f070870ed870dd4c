import Collectives
import Storage

/// The first of two hosts, of which the second never says anything: messages are done at once and bring
/// what was there before. For counting what a sum costs its own thread.
final class SilentHosts: Collectives {
  let rank = 0
  let ranks = 2
  let hosts = ["node0", "node1"]
  let hostNumbers = [0, 1]
  var onPause: (() -> Void)?
  private var slotCount = 0

  func barrier() {}
  func broadcast(_ bytes: inout [UInt8], from root: Int) {}
  func broadcast<Element: BitwiseCopyable>(_ block: Block<Element>, from root: Int) {}
  func gather(_ bytes: [UInt8], to root: Int) -> [[UInt8]]? { [bytes, bytes] }
  func allGather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes, bytes] }
  func allMaximum(_ value: Int) -> Int { value }

  func shareMemory<Element: BitwiseCopyable>(
    _ type: Element.Type, count: Int
  ) -> SharedMemory<Element>? {
    SharedMemory(alone: count)
  }

  func reserveSlots(_ count: Int) -> Range<Int> {
    defer { slotCount += count }
    return slotCount..<slotCount + count
  }

  func startSend<Element: BitwiseCopyable>(
    _ block: Block<Element>, to rank: Int, tag: Int, slot: Int
  ) {}

  func startReceive<Element: BitwiseCopyable>(
    _ block: Block<Element>, from rank: Int, tag: Int, slot: Int
  ) {}

  func test(_ slot: Int) -> Bool { true }
  func wait(_ slot: Int) {}
  func pause(attempt: Int) {}
  func finish() {}
  func abort(exitCode: Int32) -> Never { preconditionFailure("rank 0 aborts") }
}
