import Storage

/// What a group of ranks can do together.
///
/// Every function that all ranks take part in (`barrier`, `broadcast`, `gather`, `allGather`,
/// `allMaximum`, `anyRank`, `shareMemory`, `finish`) is called by all of them in the same order. All calls come
/// from the thread that made the group.
package protocol Collectives: AnyObject {
  /// This rank's number, `0 ..< ranks`.
  var rank: Int { get }
  /// How many ranks there are.
  var ranks: Int { get }
  /// The host name of every rank, by rank.
  var hosts: [String] { get }
  /// The number of every rank's host, by rank. Ranks of one host are neighbours: from rank to rank it
  /// stays or grows by one.
  var hostNumbers: [Int] { get }

  /// Returns when every rank has called it.
  func barrier() throws(CollectivesError)

  /// Gives every rank the bytes that `root` has; elsewhere the old content and length do not matter.
  func broadcast(_ bytes: inout [UInt8], from root: Int) throws(CollectivesError)

  /// Gives every rank the elements that `root` has; the block is equally long everywhere.
  func broadcast<Element: BitwiseCopyable>(
    _ block: Block<Element>, from root: Int
  ) throws(CollectivesError)

  /// Every rank's bytes, by rank, on `root`; nil elsewhere. Lengths may differ.
  func gather(_ bytes: [UInt8], to root: Int) throws(CollectivesError) -> [[UInt8]]?

  /// Every rank's bytes, by rank, on every rank. Lengths may differ.
  func allGather(_ bytes: [UInt8]) throws(CollectivesError) -> [[UInt8]]

  /// The largest of the ranks' values, on every rank.
  func allMaximum(_ value: Int) throws(CollectivesError) -> Int

  /// Memory that the ranks of a host see together; `parts` has one part for each of them.
  ///
  /// - Parameter count: Elements of this rank's part; other ranks may bring other counts.
  /// - Returns: nil on all ranks when a host has no room for it (a container's small `/dev/shm`).
  func shareMemory<Element: BitwiseCopyable>(
    _ type: Element.Type, count: Int
  ) throws(CollectivesError) -> SharedMemory<Element>?

  /// Sets memory aside for `count` messages under way at once and returns their slots.
  func reserveSlots(_ count: Int) -> Range<Int>

  /// Starts to send `block`, which must not change until `slot` is done. Allocates nothing.
  ///
  /// Messages with the same sender, receiver and tag arrive in the order in which they were started.
  /// - Precondition: No message is under way in `slot`.
  func startSend<Element: BitwiseCopyable>(
    _ block: Block<Element>, to rank: Int, tag: Int, slot: Int
  ) throws(CollectivesError)

  /// Starts to receive into `block`, which must not be touched until `slot` is done. Allocates nothing.
  /// - Precondition: No message is under way in `slot`; the sender's block is equally long.
  func startReceive<Element: BitwiseCopyable>(
    _ block: Block<Element>, from rank: Int, tag: Int, slot: Int
  ) throws(CollectivesError)

  /// Whether the message in `slot` is done (or none was started); moves messages forward.
  func test(_ slot: Int) throws(CollectivesError) -> Bool

  /// Returns when the message in `slot` is done; leaves the core to others meanwhile.
  func wait(_ slot: Int) throws(CollectivesError)

  /// Leaves the core to others for a moment, the longer the more often it was asked in vain:
  /// for loops that wait by `test`. `attempt` counts from 0.
  func pause(attempt: Int)

  /// Called again and again while this rank waits, in `wait` and whatever else comes to `pause`.
  var onPause: (() -> Void)? { get set }

  /// Parts from the other ranks at the end of a run that went well.
  func finish() throws(CollectivesError)

  /// Ends all ranks at once, whatever they are doing; the job's exit code is `exitCode`.
  func abort(exitCode: Int32) -> Never
}

extension Collectives {
  package var identity: RankIdentity {
    RankIdentity(rank: rank, ranks: ranks, host: hostName)
  }

  /// Rank 0 reports, evaluates and writes checkpoints.
  package var isRoot: Bool { rank == 0 }

  /// Whether any rank says true, on every rank.
  package func anyRank(_ value: Bool) throws(CollectivesError) -> Bool {
    try allMaximum(value ? 1 : 0) == 1
  }
}
