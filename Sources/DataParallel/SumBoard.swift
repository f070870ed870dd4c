import Collectives
import Storage

/// How far the ranks of a host are with their sums, in words that all of them read.
///
/// Every word counts up over the whole run, so that none is ever set back.
struct SumBoard {
  private enum Word: Int, CaseIterable {
    /// Buckets whose share of this rank is complete.
    case ready
    /// Buckets whose slices this rank has summed.
    case summed
    /// Steps whose sums this rank has read for the last time.
    case released
  }

  private let memory: SharedMemory<UInt64>
  private let words: [AtomicWords]
  private let own: Int

  /// All ranks make theirs together; without shared memory a rank is alone on its board.
  init(sharesMemory: Bool, over group: any Collectives) throws(CollectivesError) {
    let count = Word.allCases.count * AtomicWords.stride
    let shared = sharesMemory ? try group.shareMemory(UInt64.self, count: count) : nil
    memory = shared ?? SharedMemory(alone: count)
    own = shared == nil ? 0 : group.localRank
    words = memory.parts.map { AtomicWords($0) }
  }

  func publishReady(_ count: Int) { publish(count, .ready) }
  func publishSummed(_ count: Int) { publish(count, .summed) }
  func publishReleased(_ count: Int) { publish(count, .released) }

  func areAllReady(_ count: Int) -> Bool { haveAll(count, .ready) }
  func haveAllSummed(_ count: Int) -> Bool { haveAll(count, .summed) }
  func haveAllReleased(_ count: Int) -> Bool { haveAll(count, .released) }

  private func publish(_ count: Int, _ word: Word) {
    words[own].publish(UInt64(count), at: word.rawValue)
  }

  private func haveAll(_ count: Int, _ word: Word) -> Bool {
    words.allSatisfy { $0.read(word.rawValue) >= UInt64(count) }
  }
}
