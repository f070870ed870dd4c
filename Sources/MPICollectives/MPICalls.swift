import CMPI
import Collectives

/// MPI's functions on one communicator: each wrapper checks, calls, and turns the return code into an
/// error that names the call, the rank and the host. Functions that C starts with `I` return at once;
/// their buffers must outlive the request.
@safe
struct MPICalls {
  let communicator: MPI_Comm
  var identity: RankIdentity

  init(communicator: MPI_Comm, identity: RankIdentity) {
    unsafe self.communicator = unsafe communicator
    self.identity = identity
  }

  func check(_ code: Int32, _ call: String) throws(CollectivesError) {
    guard code == MPI_SUCCESS else { throw error(code, call) }
  }

  private func error(_ code: Int32, _ call: String) -> CollectivesError {
    CollectivesError(call: call, reason: Self.errorString(code), identity: identity)
  }

  // MARK: The world

  static func isInitialised() -> Bool {
    var flag: Int32 = 0
    // SAFETY: MPI writes one int.
    return unsafe MPI_Initialized(&flag) == MPI_SUCCESS && flag != 0
  }

  func initialise() throws(CollectivesError) {
    var provided: Int32 = 0
    // SAFETY: MPI accepts no argument vector and writes one int.
    try check(
      unsafe MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided),
      "MPI_Init_thread")
  }

  func returnErrors() throws(CollectivesError) {
    // SAFETY: both handles are MPI's constants.
    try check(
      unsafe MPI_Comm_set_errhandler(communicator, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler")
  }

  func size() throws(CollectivesError) -> Int {
    var size: Int32 = 0
    // SAFETY: MPI writes one int.
    try check(unsafe MPI_Comm_size(communicator, &size), "MPI_Comm_size")
    return Int(size)
  }

  func rank() throws(CollectivesError) -> Int {
    var rank: Int32 = 0
    // SAFETY: MPI writes one int.
    try check(unsafe MPI_Comm_rank(communicator, &rank), "MPI_Comm_rank")
    return Int(rank)
  }

  func finalise() throws(CollectivesError) {
    try check(MPI_Finalize(), "MPI_Finalize")
  }

  func abort(exitCode: Int32) {
    // SAFETY: no memory is involved.
    _ = unsafe MPI_Abort(communicator, exitCode)
  }

  // MARK: Texts

  static func processorName() -> String {
    unsafe text(capacity: Int(MPI_MAX_PROCESSOR_NAME)) { name, length in
      // SAFETY: the buffer has the length MPI asks for.
      _ = unsafe MPI_Get_processor_name(name, length)
    }
  }

  static func libraryVersion() -> String {
    unsafe text(capacity: Int(MPI_MAX_LIBRARY_VERSION_STRING)) { name, length in
      // SAFETY: the buffer has the length MPI asks for.
      _ = unsafe MPI_Get_library_version(name, length)
    }
  }

  static func errorString(_ code: Int32) -> String {
    unsafe text(capacity: Int(MPI_MAX_ERROR_STRING)) { name, length in
      // SAFETY: the buffer has the length MPI asks for.
      _ = unsafe MPI_Error_string(code, name, length)
    }
  }

  private static func text(
    capacity: Int, _ fill: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int32>) -> Void
  ) -> String {
    var bytes = [CChar](repeating: 0, count: capacity + 1)
    var length: Int32 = 0
    unsafe bytes.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      // SAFETY: both pointers live during the call.
      unsafe fill(base, &length)
    }
    return String(decoding: bytes.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// A place for a request handle, null when nothing is under way.
typealias RequestPointer = UnsafeMutablePointer<MPI_Request?>

extension MPICalls {
  // MARK: Messages

  func startSend(
    _ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Int, _ request: RequestPointer
  ) throws(CollectivesError) {
    // SAFETY: the caller keeps the bytes until the request is done.
    let code = unsafe MPI_Isend(
      bytes.baseAddress, Int32(bytes.count), MPI_BYTE, Int32(rank), Int32(tag), communicator,
      request)
    try check(code, "MPI_Isend")
  }

  func startReceive(
    _ bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Int, _ request: RequestPointer
  ) throws(CollectivesError) {
    // SAFETY: the caller keeps the bytes until the request is done.
    let code = unsafe MPI_Irecv(
      bytes.baseAddress, Int32(bytes.count), MPI_BYTE, Int32(rank), Int32(tag), communicator,
      request)
    try check(code, "MPI_Irecv")
  }

  func test(_ request: RequestPointer) throws(CollectivesError) -> Bool {
    var isDone: Int32 = 0
    // SAFETY: MPI accepts null requests and nulls those that are done.
    try check(unsafe MPI_Test(request, &isDone, MPI_STATUS_IGNORE), "MPI_Test")
    return isDone != 0
  }

  // MARK: All ranks

  func startBarrier(_ request: RequestPointer) throws(CollectivesError) {
    // SAFETY: no memory is involved but the request.
    try check(unsafe MPI_Ibarrier(communicator, request), "MPI_Ibarrier")
  }

  func startBroadcast(
    _ bytes: UnsafeMutableRawBufferPointer, from root: Int, _ request: RequestPointer
  ) throws(CollectivesError) {
    // SAFETY: the caller keeps the bytes until the request is done.
    let code = unsafe MPI_Ibcast(
      bytes.baseAddress, Int32(bytes.count), MPI_BYTE, Int32(root), communicator, request)
    try check(code, "MPI_Ibcast")
  }

  func startMaximum(
    _ value: UnsafePointer<Int64>, _ result: UnsafeMutablePointer<Int64>, _ request: RequestPointer
  ) throws(CollectivesError) {
    // SAFETY: both point to one 64-bit number.
    let code = unsafe MPI_Iallreduce(value, result, 1, MPI_INT64_T, MPI_MAX, communicator, request)
    try check(code, "MPI_Iallreduce")
  }

  /// Every rank's `value` into `values`, which has one place per rank.
  func startAllGather(
    _ value: UnsafePointer<Int32>, _ values: UnsafeMutablePointer<Int32>, _ request: RequestPointer
  ) throws(CollectivesError) {
    // SAFETY: values has one place per rank.
    let code = unsafe MPI_Iallgather(
      value, 1, MPI_INT32_T, values, 1, MPI_INT32_T, communicator, request)
    try check(code, "MPI_Iallgather")
  }

  func startAllGather(
    _ bytes: UnsafeRawBufferPointer, _ all: UnsafeMutableRawBufferPointer,
    counts: UnsafePointer<Int32>, starts: UnsafePointer<Int32>, _ request: RequestPointer
  ) throws(CollectivesError) {
    // SAFETY: the caller keeps all four until the request is done; counts and starts lie inside all.
    let code = unsafe MPI_Iallgatherv(
      bytes.baseAddress, Int32(bytes.count), MPI_BYTE, all.baseAddress, counts, starts, MPI_BYTE,
      communicator, request)
    try check(code, "MPI_Iallgatherv")
  }

  func startGather(
    _ bytes: UnsafeRawBufferPointer, _ all: UnsafeMutableRawBufferPointer,
    counts: UnsafePointer<Int32>, starts: UnsafePointer<Int32>, to root: Int,
    _ request: RequestPointer
  ) throws(CollectivesError) {
    // SAFETY: the caller keeps all four until the request is done; counts and starts lie inside all.
    let code = unsafe MPI_Igatherv(
      bytes.baseAddress, Int32(bytes.count), MPI_BYTE, all.baseAddress, counts, starts, MPI_BYTE,
      Int32(root), communicator, request)
    try check(code, "MPI_Igatherv")
  }
}
