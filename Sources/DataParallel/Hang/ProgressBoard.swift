import Collectives
import Foundation
import Metrics
import Storage

// R ranks in the job, L of them on this host.

/// Where every rank of a host writes what it is doing, so that the others can read it when it no longer
/// answers: memory that all ranks of the host share.
///
/// A rank's part holds its own words, then (on the host's first rank) what is known of all R ranks of the
/// job from messages between hosts. Writing is a few relaxed stores: no clock, no allocation, no lock.
///
/// `@unchecked`: all that changes are relaxed words.
package final class ProgressBoard: ProgressSink, @unchecked Sendable {
  /// Words in a rank's part.
  package static func partCount(ranks: Int) -> Int { tableStart + ranks * RankProgress.wordCount }

  private static let tableStart = 8
  private static let speakerWord = 4
  private static let overWord = 5

  /// By rank on this host.
  private let parts: [RelaxedWords]
  private let own: RelaxedWords
  /// This host's ranks in the numbers of the job.
  let localRanks: [Int]
  let ranks: Int
  private let first: RelaxedWords
  private let pid = getpid()
  private let memory: AnyObject?

  /// - Parameters:
  ///   - parts: By rank on this host; each of `partCount` words of zero.
  ///   - localRanks: The same ranks in the numbers of the job.
  ///   - memory: What the parts are cut from, to be kept.
  package init(
    parts: [RelaxedWords], localRanks: [Int], rank: Int, ranks: Int, memory: AnyObject? = nil
  ) {
    guard let index = localRanks.firstIndex(of: rank) else {
      preconditionFailure("rank \(rank) is not among \(localRanks)")
    }
    self.parts = parts
    self.localRanks = localRanks
    self.ranks = ranks
    own = parts[index]
    first = parts[0]
    self.memory = memory
    enter(.joining)
  }

  /// A board for all ranks of a host; all ranks of the group call this. Where there is no room for it, every
  /// rank has one to itself.
  package convenience init(over group: any Collectives) throws(CollectivesError) {
    let count = Self.partCount(ranks: group.ranks)
    if let shared = try group.shareMemory(UInt64.self, count: count) {
      self.init(
        parts: shared.parts.map { RelaxedWords($0) }, localRanks: Array(group.localRange),
        rank: group.rank, ranks: group.ranks, memory: shared)
    } else {
      self.init(
        parts: [RelaxedWords(count: count)], localRanks: [group.rank], rank: group.rank,
        ranks: group.ranks)
    }
  }

  // MARK: Writing, by the thread that works

  package func note(step: Int, phase: Phase, instruction: Int) {
    own.store(
      RankProgress.place(step: step, phase: phase, instruction: instruction),
      at: RankProgress.placeWord)
    beat()
  }

  package func enter(_ stage: RankProgress.Stage) {
    own.store(RankProgress.process(pid: pid, stage: stage), at: RankProgress.processWord)
    beat()
  }

  /// Says that the work goes on.
  package func beat() {
    own.store(own.load(RankProgress.beatsWord) &+ 1, at: RankProgress.beatsWord)
  }

  /// Says that this rank looked in vain for what it waits for.
  package func wait() {
    own.store(own.load(RankProgress.waitsWord) &+ 1, at: RankProgress.waitsWord)
  }

  // MARK: Reading, by any thread

  /// Whether this rank may be reading or writing files for long.
  var worksOnFiles: Bool { RankProgress { own.load($0) }?.worksOnFiles ?? false }

  /// What every rank does, by rank; nil where nothing is known.
  package func read() -> [RankProgress?] {
    var all = [RankProgress?](repeating: nil, count: ranks)
    for rank in 0..<ranks where !localRanks.contains(rank) {
      let start = Self.tableStart + rank * RankProgress.wordCount
      all[rank] = RankProgress { first.load(start + $0) }
    }
    for (part, rank) in zip(parts, localRanks) { all[rank] = RankProgress { part.load($0) } }
    return all
  }

  /// The words of this host's ranks, one rank after another.
  func copyLocal(into words: RelaxedWords, from start: Int) {
    for (index, part) in parts.enumerated() {
      for word in 0..<RankProgress.wordCount {
        words.store(part.load(word), at: start + index * RankProgress.wordCount + word)
      }
    }
  }

  /// Takes in what another host's first rank has sent of its ranks.
  func publish(_ words: RelaxedWords, from start: Int, of ranks: [Int]) {
    for (index, rank) in ranks.enumerated() {
      for word in 0..<RankProgress.wordCount {
        own.store(
          words.load(start + index * RankProgress.wordCount + word),
          at: Self.tableStart + rank * RankProgress.wordCount + word)
      }
    }
  }

  // MARK: The verdict

  /// Whether this call is the first on this host: its caller speaks for all.
  func claimWord() -> Bool { first.claim(Self.speakerWord) }

  /// Set once the verdict is printed: whoever still runs ends the job.
  var isOver: Bool {
    get { first.load(Self.overWord) != 0 }
    set { first.store(newValue ? 1 : 0, at: Self.overWord) }
  }
}
