import Collectives
import Diagnostics
import Foundation

/// The ranks that this process was started with: all of MPI's, or itself alone.
///
/// - Throws: A `Diagnostic` when a launcher started several processes that cannot find each other;
///   each would train alone and write the same files.
package func joinRanks(
  environment: [String: String] = ProcessInfo.processInfo.environment
) throws -> any Collectives {
  switch Launch(environment: environment) {
  case .alone:
    return SoloCollectives()
  case .withoutMPI(let processes):
    throw separateProcesses(launched: processes)
  case .byMPI(let launched):
    let world = try MPIWorld()
    if let launched, launched != world.ranks { throw separateProcesses(launched: launched) }
    return world
  }
}

private func separateProcesses(launched: Int) -> Diagnostic {
  Diagnostic(
    place: "launch",
    problem: "\(launched) processes were started that cannot find each other through MPI",
    expected: "one group of \(launched) ranks under \(MPIWorld.libraryVersion)",
    remedy: "start them with Open MPI's mpirun, or with srun --mpi=pmix")
}
