/// A thread for tests that mostly wait, so that the others have theirs to themselves.
@globalActor
actor SlurmThread {
  static let shared = SlurmThread()
  private static let executor = ThreadExecutor()

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    Self.executor.asUnownedSerialExecutor()
  }
}
