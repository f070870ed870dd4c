/// How this process was started, read from the environment alone: asking costs no MPI call.
package enum Launch: Equatable, Sendable {
  /// By hand: one rank, MPI is not touched.
  case alone
  /// By `mpirun` or by `srun` with a process-management interface; `ranks` as the launcher says.
  case byMPI(ranks: Int?)
  /// By `srun` without such an interface: several processes that cannot find each other.
  case withoutMPI(processes: Int)

  package init(environment: [String: String]) {
    func number(_ name: String) -> Int? { environment[name].flatMap(Int.init) }
    // `sbatch` sets SLURM_NTASKS and SLURM_PROCID for the script too; only `srun` sets this one.
    let stepTasks = number("SLURM_STEP_NUM_TASKS") ?? 1
    if let ranks = number("OMPI_COMM_WORLD_SIZE") {
      self = .byMPI(ranks: ranks)
    } else if environment["PMIX_RANK"] != nil {
      self = .byMPI(ranks: number("SLURM_STEP_NUM_TASKS"))
    } else if environment["PMI_RANK"] != nil || environment["PMI_FD"] != nil {
      self = .byMPI(ranks: number("PMI_SIZE") ?? number("SLURM_STEP_NUM_TASKS"))
    } else if stepTasks > 1, environment["SLURM_PROCID"] != nil {
      self = .withoutMPI(processes: stepTasks)
    } else {
      self = .alone
    }
  }
}
