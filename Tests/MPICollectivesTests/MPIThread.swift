/// One thread for all calls to MPI. The main actor is none: on Linux its jobs move from thread to thread.
@globalActor
actor MPIThread {
  static let shared = MPIThread()
  private static let executor = ThreadExecutor()

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    Self.executor.asUnownedSerialExecutor()
  }
}
