import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Finds the speed of a piece of work on a machine that others use too: the best of many short runs, in
/// processor time, which does not run while another process has the core.
struct Stopwatch {
  /// How long to go on measuring.
  let seconds: Double
  private let wall = ContinuousClock()

  init(seconds: Double) {
    self.seconds = seconds
  }

  /// GFLOP/s of `work`, which does `operations` floating-point operations per call.
  func speed(operations: Double, _ work: () -> Void) -> Double {
    let first = time(1, work)
    // Long enough for the clock, short enough to fall between interruptions.
    let calls = max(1, Int(0.001 / max(first, 1e-6)))
    var best = Double.infinity
    let end = wall.now + .seconds(seconds)
    repeat { best = min(best, time(calls, work) / Double(calls)) } while wall.now < end
    return operations / best * 1e-9
  }

  /// GFLOP/s of multiply-adds between registers.
  func peak<S: Scalar>(of type: S.Type) -> Double {
    let steps = 100_000
    var proof: S = 0
    let operations = FusedMultiplyAddPeak.run(steps: 1, S(0.5)).operations * steps
    let speed = speed(operations: Double(operations)) {
      proof += FusedMultiplyAddPeak.run(steps: steps, S(0.5)).proof
    }
    precondition(proof > 0, "the chains of the peak were not computed")
    return speed
  }

  private func processorTime() -> Int { Int(clock()) }

  private func time(_ calls: Int, _ work: () -> Void) -> Double {
    let start = processorTime()
    for _ in 0..<calls { work() }
    return Double(processorTime() - start) / Double(CLOCKS_PER_SEC)
  }
}
