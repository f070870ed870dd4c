import Diagnostics
import MPICollectives
import Testing

@Suite("How a process was launched")
struct LaunchTests {
  @Test(
    "the environment tells the launcher",
    arguments: [
      ([:], .alone),
      (["OMPI_COMM_WORLD_SIZE": "4", "PMIX_RANK": "1"], .byMPI(ranks: 4)),
      (["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "8"], .byMPI(ranks: 8)),
      (["PMIX_RANK": "0"], .byMPI(ranks: nil)),
      (["PMI_RANK": "2", "PMI_SIZE": "3"], .byMPI(ranks: 3)),
      (["SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"], .alone),
      (["SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4"], .withoutMPI(processes: 4)),
      // The script that sbatch starts: it is one process, whatever the job asked for.
      (["SLURM_PROCID": "0", "SLURM_NTASKS": "4"], .alone),
    ] as [([String: String], Launch)])
  func launch(environment: [String: String], expected: Launch) {
    #expect(Launch(environment: environment) == expected)
  }

  @Test("processes that cannot find each other do not train alone")
  func separateProcesses() {
    let expected = Diagnostic(
      place: "launch",
      problem: "4 processes were started that cannot find each other through MPI",
      expected: "one group of 4 ranks under \(MPIWorld.libraryVersion)",
      remedy: "start them with Open MPI's mpirun, or with srun --mpi=pmix")
    #expect(throws: expected) {
      try joinRanks(environment: ["SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4"])
    }
  }
}
