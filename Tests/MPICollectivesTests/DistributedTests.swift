import Collectives
import MPICollectives
import Testing

/// Every suite that calls MPI: one test after another, all on the thread that initialised MPI, so that the
/// ranks enter the same calls in the same order. Without `mpirun` it runs on a group of one.
///
/// ```sh
/// mpirun -n 3 --oversubscribe .build/release/ddp-trainPackageTests.xctest \
///   --testing-library swift-testing --filter MPICollectivesTests
/// ```
@Suite("Distributed", .serialized, FinishTrait())
@MPIThread
struct DistributedTests {
  private static let joined = Result { try joinRanks() }

  static func group() throws -> any Collectives { try joined.get() }

  static func finish() throws { try group().finish() }
}

/// MPI asks every rank to part from the others before its process ends.
struct FinishTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
  ) async throws {
    try await body()
    try await DistributedTests.finish()
  }
}

/// Whether this process is one of several that `mpirun` started.
let isLaunchedByMPI = MPIWorld.wasLaunchedByMPI
