import CMPI
import Collectives
import Storage

extension MPIWorld {
  /// MPI's own sum over all ranks, for comparison with ours: it promises no order of additions, so equal
  /// runs may give other bits, and it spins while it waits.
  package func sumByMPI(
    _ source: Block<Float>, into target: Block<Float>
  ) throws(CollectivesError) {
    precondition(source.count == target.count, "\(source.count) numbers into \(target.count)")
    // SAFETY: both blocks outlive the call and do not overlap.
    let code = unsafe MPI_Allreduce(
      source.base, target.base, Int32(source.count), MPI_FLOAT, MPI_SUM, calls.communicator)
    try calls.check(code, "MPI_Allreduce")
  }
}
