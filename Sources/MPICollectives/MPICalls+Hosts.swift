import CMPI
import Collectives

/// What MPI knows of the hosts: which ranks share memory, and that memory.
extension MPICalls {
  /// The ranks that can share memory with this one; all ranks call it.
  func hostGroup() throws(CollectivesError) -> MPICalls {
    try unsafe derived("MPI_Comm_split_type") { group in
      // SAFETY: MPI writes one handle.
      unsafe MPI_Comm_split_type(
        communicator, Int32(MPI_COMM_TYPE_SHARED), 0, MPI_INFO_NULL, group)
    }
  }

  /// The ranks with the same `color`, in the order of their `key`; all ranks call it.
  func split(color: Int, key: Int) throws(CollectivesError) -> MPICalls {
    try unsafe derived("MPI_Comm_split") { group in
      // SAFETY: MPI writes one handle.
      unsafe MPI_Comm_split(communicator, Int32(color), Int32(key), group)
    }
  }

  /// The least of the ranks' values; for the start only, since MPI spins while it waits.
  func minimum(_ value: Int) throws(CollectivesError) -> Int {
    var own = Int64(value)
    var result: Int64 = 0
    // SAFETY: both numbers outlive the call.
    let code = unsafe MPI_Allreduce(&own, &result, 1, MPI_INT64_T, MPI_MIN, communicator)
    try check(code, "MPI_Allreduce")
    return Int(result)
  }

  /// Memory that the ranks of this group, all of one host, see together; all of them call it.
  func allocateShared(byteCount: Int) throws(CollectivesError) -> MPI_Win {
    var base: UnsafeMutableRawPointer?
    var window: MPI_Win?
    // SAFETY: MPI writes one pointer and one handle.
    let code = unsafe MPI_Win_allocate_shared(
      byteCount, 1, MPI_INFO_NULL, communicator, &base, &window)
    try check(code, "MPI_Win_allocate_shared")
    guard let window = unsafe window else {
      preconditionFailure("MPI_Win_allocate_shared gave no window")
    }
    return unsafe window
  }

  /// The part of a window that `rank` brought, as this process sees it.
  func sharedPart(
    of window: MPI_Win, rank: Int
  ) throws(CollectivesError) -> UnsafeMutableRawBufferPointer {
    var size: MPI_Aint = 0
    var unit: Int32 = 0
    var base: UnsafeMutableRawPointer?
    // SAFETY: MPI writes one size, one int and one pointer.
    let code = unsafe MPI_Win_shared_query(window, Int32(rank), &size, &unit, &base)
    try check(code, "MPI_Win_shared_query")
    return unsafe UnsafeMutableRawBufferPointer(start: base, count: size)
  }

  func free(_ window: MPI_Win) throws(CollectivesError) {
    var window: MPI_Win? = unsafe window
    // SAFETY: the window was allocated by allocateShared and is freed once.
    try check(unsafe MPI_Win_free(&window), "MPI_Win_free")
  }

  private func derived(
    _ call: String, _ make: (UnsafeMutablePointer<MPI_Comm?>) -> Int32
  ) throws(CollectivesError) -> MPICalls {
    var group: MPI_Comm?
    // SAFETY: the variable lives during the call.
    try check(unsafe make(&group), call)
    guard let group = unsafe group else { preconditionFailure("\(call) gave no group") }
    let calls = unsafe MPICalls(communicator: group, identity: identity)
    try calls.returnErrors()
    return calls
  }
}
