/// What a process ends with, beside 0.
package enum ExitCode {
  /// Something failed that is not the user's input.
  package static let failed: Int32 = 1
  /// Config, data, launch or checkpoint are at fault.
  package static let badInput: Int32 = 2
  /// Loss or gradient were not finite.
  package static let diverged: Int32 = 3
  /// A signal or the job's end stopped the run where it goes on when it is started again; EX_TEMPFAIL of
  /// `sysexits.h`.
  package static let preempted: Int32 = 75
}
