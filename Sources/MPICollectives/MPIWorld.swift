import CMPI
import Collectives
import Foundation
import Placement
import Storage

/// All ranks of the job, as Open MPI knows them.
///
/// Made once per process; every call comes from the thread that made it. Waiting is done by this
/// room's own loop over `MPI_Test`, so a rank that waits long leaves its core to others.
@safe
package final class MPIWorld: Collectives {
  package private(set) var rank: Int
  package private(set) var ranks: Int
  package private(set) var hosts: [String]
  package private(set) var hostNumbers: [Int]

  var calls: MPICalls
  /// The ranks of this host, in the same order.
  var host: MPICalls
  /// Shared memory, freed in the same order on all ranks.
  var windows: ArraySlice<MPI_Win> = unsafe []
  package var onPause: (() -> Void)?
  private let thread = pthread_self()
  /// One request per slot; slot 0 is the room's own, for what all ranks do together.
  private var requests: RequestPointer
  private var slotCount = 1
  private var waiting = Waiting()

  /// - Throws: `CollectivesError` when MPI cannot start.
  /// - Precondition: MPI is not running in this process yet.
  package init() throws {
    precondition(!MPICalls.isInitialised(), "MPI is initialised once per process")
    Self.prepareEnvironment()
    var name = ProcessInfo.processInfo.hostName
    (rank, ranks, hosts, hostNumbers) = (0, 1, [name], [0])
    // SAFETY: the handle is MPI's constant.
    calls = unsafe MPICalls(
      communicator: MPI_COMM_WORLD, identity: RankIdentity(rank: 0, ranks: 1, host: name))
    host = calls
    // SAFETY: the request is initialised on the next line.
    unsafe requests = RequestPointer.allocate(capacity: 1)
    unsafe requests.initialize(to: MPI_REQUEST_NULL)
    try calls.initialise()
    try calls.returnErrors()
    let groups = try Self.arrange(
      calls, hostSize: Self.environmentValue("DDP_TRAIN_HOST_SIZE").flatMap(Int.init))
    (calls, host) = (groups.world, groups.host)
    rank = try calls.rank()
    ranks = try calls.size()
    name = MPICalls.processorName()
    calls.identity = RankIdentity(rank: rank, ranks: ranks, host: name)
    host.identity = calls.identity
    hosts = try allGather(Array(name.utf8)).map { String(decoding: $0, as: UTF8.self) }
    hostNumbers = Self.numbers(ofFirstRanks: try allGather(Array("\(groups.firstRank)".utf8)))
  }

  deinit {
    // SAFETY: requests came from allocate; every slot up to slotCount was initialised.
    unsafe requests.deinitialize(count: slotCount)
    unsafe requests.deallocate()
  }

  /// Whether `mpirun` or `srun` started this process, so that `init` will find other ranks.
  package static var wasLaunchedByMPI: Bool {
    if case .byMPI = Launch(environment: ProcessInfo.processInfo.environment) {
      true
    } else {
      false
    }
  }

  /// For example `Open MPI v4.1.4`; may be asked without starting MPI.
  package static var libraryVersion: String {
    String(MPICalls.libraryVersion().prefix { $0 != "," && $0 != "\0" })
  }

  /// Settings of Open MPI's that it reads while it starts; what the user has set stays.
  private static func prepareEnvironment() {
    guard let localRanks = environmentValue("OMPI_COMM_WORLD_LOCAL_SIZE").flatMap(Int.init) else {
      return
    }
    // Without it MPI_Abort prints a box of its own below the failing rank's message.
    setDefault("OMPI_MCA_orte_execute_quiet", "1")
    // With one connection the word that lets a long message in waits behind the long message that goes the
    // other way, and hosts that exchange slices take turns: 1 MiB each way took 23 ms at 1 Gbit/s, now 14.
    setDefault("OMPI_MCA_btl_tcp_links", "2")
    // A longer message asks first, and no answer comes while the other side computes.
    setDefault("OMPI_MCA_btl_tcp_eager_limit", String(1 << 20))
    if HostPlacement.isTooSmall(forRanks: localRanks) {
      setDefault("OMPI_MCA_mpi_yield_when_idle", "1")
    }
  }

  private static func setDefault(_ name: String, _ value: String) {
    // SAFETY: both strings end in zero; no other thread of ours runs yet.
    _ = unsafe setenv(name, value, 0)
  }

  private static func environmentValue(_ name: String) -> String? {
    // SAFETY: the value is copied before anybody changes the environment.
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  // MARK: Messages

  package func reserveSlots(_ count: Int) -> Range<Int> {
    let grown = slotCount + count
    let larger = RequestPointer.allocate(capacity: grown)
    // SAFETY: larger holds the old requests and the new ones; handles may be moved between calls.
    unsafe larger.moveInitialize(from: requests, count: slotCount)
    unsafe (larger + slotCount).initialize(repeating: MPI_REQUEST_NULL, count: count)
    unsafe requests.deallocate()
    unsafe requests = unsafe larger
    defer { slotCount = grown }
    return slotCount..<grown
  }

  package func startSend<Element: BitwiseCopyable>(
    _ block: Block<Element>, to rank: Int, tag: Int, slot: Int
  ) throws(CollectivesError) {
    checkMessage(with: rank, slot: slot)
    // SAFETY: the caller keeps the block unchanged until the slot is done.
    let bytes = unsafe UnsafeRawBufferPointer(block.bytes)
    try checkLength(bytes.count, "MPI_Isend")
    try unsafe calls.startSend(bytes, to: rank, tag: tag, requests + slot)
  }

  package func startReceive<Element: BitwiseCopyable>(
    _ block: Block<Element>, from rank: Int, tag: Int, slot: Int
  ) throws(CollectivesError) {
    checkMessage(with: rank, slot: slot)
    // SAFETY: the caller leaves the block alone until the slot is done.
    let bytes = unsafe block.bytes
    try checkLength(bytes.count, "MPI_Irecv")
    try unsafe calls.startReceive(bytes, from: rank, tag: tag, requests + slot)
  }

  package func test(_ slot: Int) throws(CollectivesError) -> Bool {
    checkSlot(slot)
    // SAFETY: the slot is in bounds.
    return try unsafe calls.test(requests + slot)
  }

  package func wait(_ slot: Int) throws(CollectivesError) {
    checkSlot(slot)
    var attempt = 0
    // SAFETY: the slot is in bounds.
    while !(try unsafe calls.test(requests + slot)) {
      pause(attempt: attempt)
      attempt += 1
    }
  }

  package func pause(attempt: Int) {
    if attempt >= 50 { onPause?() }
    waiting.pause(attempt: attempt)
  }

  package func adjustWaiting(sharesCores: Bool) { waiting.sharesCores = sharesCores }

  package func finish() throws(CollectivesError) {
    checkThread()
    while let window = unsafe windows.popFirst() { try unsafe host.free(window) }
    try calls.finalise()
  }

  package func abort(exitCode: Int32) -> Never {
    calls.abort(exitCode: exitCode)
    _exit(exitCode)
  }

  // MARK: Used by what all ranks do together

  /// Starts a call of all ranks and returns when it is done.
  func together(
    _ start: (RequestPointer) throws(CollectivesError) -> Void
  ) throws(CollectivesError) {
    checkThread()
    // SAFETY: slot 0 is nobody else's.
    try unsafe start(requests)
    try wait(0)
  }

  /// MPI counts bytes in 32 bits.
  func checkLength(_ byteCount: Int, _ call: String) throws(CollectivesError) {
    guard byteCount <= Int32.max else {
      throw CollectivesError(
        call: call, reason: "\(byteCount) bytes in one message; at most \(Int32.max) are possible",
        identity: calls.identity)
    }
  }

  private func checkMessage(with other: Int, slot: Int) {
    checkSlot(slot)
    precondition((0..<ranks).contains(other) && other != rank, "rank \(other) of \(ranks)")
    // SAFETY: the slot is in bounds.
    let isFree = unsafe requests[slot] == MPI_REQUEST_NULL
    precondition(isFree, "a message is under way in slot \(slot)")
  }

  private func checkSlot(_ slot: Int) {
    precondition((0..<slotCount).contains(slot), "slot \(slot) of \(slotCount)")
    checkThread()
  }

  private func checkThread() {
    precondition(pthread_equal(thread, pthread_self()) != 0, "MPI called from another thread")
  }
}

extension Block {
  var bytes: UnsafeMutableRawBufferPointer {
    // SAFETY: base points to count elements.
    unsafe UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: base, count: count))
  }
}
