import Collectives
import Diagnostics
import Foundation
import Metrics

/// Makes the faults of `--inject` happen on this rank; a run without any passes through untouched.
package final class InjectedFaults {
  private let faults: [FaultInjection]
  private let rank: Int

  /// - Parameter faults: Those of all ranks.
  package init(_ faults: [FaultInjection] = [], rank: Int = 0) {
    self.faults = faults.filter { $0.rank == rank }
    self.rank = rank
  }

  /// Lets what is due at this moment happen.
  package func strike(_ moment: FaultInjection.Moment, step: Int = 0) throws {
    guard let fault = faults.first(where: { $0.happens(moment, rank: rank, step: step) }),
      isFirstTime(fault)
    else { return }
    switch fault.kind {
    case .throwError: throw InjectedError(step: step)
    default: strikeSilently(fault.kind)
    }
  }

  /// Flips the bits that are due after `step`.
  ///
  /// - Throws: A `Diagnostic` when the replica has no such number.
  func flipBits(of replica: Replica, after step: Int) throws {
    for fault in faults where fault.kind == .flipBit && fault.step == step && isFirstTime(fault) {
      try replica.flip(fault)
    }
  }

  /// A sink that strikes in the middle of a micro-shard's instructions and passes everything on.
  ///
  /// - Parameter instructions: How many instructions a micro-shard has.
  package func sink(
    before next: (any ProgressSink)?, instructions: Int
  ) -> (any ProgressSink)? {
    guard faults.contains(where: { $0.moment == .compute }) else { return next }
    return FaultSink(faults: self, next: next, instruction: instructions / 2)
  }

  private func strikeSilently(_ kind: FaultInjection.Kind) {
    switch kind {
    case .stallLoader: while true { sched_yield() }
    case .stop: raise(SIGSTOP)
    case .kill: raise(SIGKILL)
    case .exit: _exit(1)
    case .flipBit, .throwError: break
    }
  }

  /// Whether the marker is not there yet; lays it down.
  private func isFirstTime(_ fault: FaultInjection) -> Bool {
    guard let marker = fault.marker else { return true }
    guard !FileManager.default.fileExists(atPath: marker) else { return false }
    return FileManager.default.createFile(atPath: marker, contents: nil)
  }
}

/// What `throw` throws.
package struct InjectedError: Error, Equatable, CustomStringConvertible {
  package var step: Int

  package var description: String { "the error that --inject asked for, in step \(step)" }
}

private final class FaultSink: ProgressSink {
  private let faults: InjectedFaults
  private let next: (any ProgressSink)?
  private let instruction: Int

  init(faults: InjectedFaults, next: (any ProgressSink)?, instruction: Int) {
    self.faults = faults
    self.next = next
    self.instruction = instruction
  }

  func note(step: Int, phase: Phase, instruction: Int) {
    next?.note(step: step, phase: phase, instruction: instruction)
    guard instruction == self.instruction, phase == .compute else { return }
    // Faults that throw are not offered at this moment.
    try? faults.strike(.compute, step: step + 1)
  }
}

extension Replica {
  fileprivate func flip(_ fault: FaultInjection) throws {
    let tensors = auditedTensors
    let place = "--inject flip-bit"
    let name = fault.tensor ?? tensors[0].name
    guard let block = tensors.first(where: { $0.name == name })?.block else {
      let names = tensors.map(\.name)
      throw Diagnostic(
        place: place, problem: "there is no tensor \(name)",
        expected: "one of \(names.joined(separator: ", "))",
        remedy: "use tensor=\(nearestName(to: name, among: names) ?? names[0])")
    }
    guard fault.element < block.count else {
      throw Diagnostic(
        place: place, problem: "\(name) has no element \(fault.element)",
        expected: "0 to \(block.count - 1)", remedy: "use element=0")
    }
    let bits = block[fault.element].bitPattern ^ (1 << UInt32(fault.bit))
    block[fault.element] = Float(bitPattern: bits)
  }
}
