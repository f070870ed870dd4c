/// A call to the other ranks that failed: which call, on which rank and host, and the system's reason.
///
/// ```text
/// rank 1 of 4 (node7): MPI_Wait failed: MPI_ERR_TRUNCATE: message truncated
/// ```
package struct CollectivesError: Error, Equatable, Sendable, CustomStringConvertible {
  package var call: String
  package var reason: String
  package var identity: RankIdentity

  package init(call: String, reason: String, identity: RankIdentity) {
    self.call = call
    self.reason = reason
    self.identity = identity
  }

  package var description: String { "\(identity): \(call) failed: \(reason)" }
}
