import Metrics
import Storage

/// What one rank was doing when somebody looked: the words of its part of the `ProgressBoard`, read.
package struct RankProgress: Equatable, Sendable {
  /// Where a process stands as a whole; `Phase` says more while it trains.
  package enum Stage: UInt8, CaseIterable, Sendable {
    case joining, start, training, end

    var name: String {
      switch self {
      case .joining: "joining the other ranks"
      case .start: "the start, reading data and checkpoint"
      case .training: "training"
      case .end: "the end of the run"
      }
    }
  }

  package var pid: Int32 = 0
  package var stage = Stage.joining
  /// Steps done.
  package var step = 0
  package var phase = Phase.other
  /// Of the plan; `RankActivity.noInstruction` outside the walk through it.
  package var instruction = RankActivity.noInstruction
  /// How often it said what it does.
  package var beats: UInt64 = 0
  /// How often it looked in vain for what it waits for.
  package var waits: UInt64 = 0

  package init() {}

  /// Whether it is where ranks say what they do many times a second.
  var isInStep: Bool {
    switch phase {
    case .compute, .communication, .waiting, .data, .evaluation: stage == .training
    case .checkpoint, .other: false
    }
  }

  /// Whether it may be reading or writing files for long.
  var worksOnFiles: Bool { !isInStep && (stage == .start || stage == .training) }

  /// Where it is, in words: `step 20, compute, dense [layers.2]`.
  ///
  /// - Parameter instructions: The names of the plan's instructions.
  func place(_ instructions: [String]) -> String {
    guard stage == .training else { return stage.name }
    switch phase {
    case .compute, .communication, .waiting, .data:
      let name = instructions.indices.contains(instruction) ? instructions[instruction] : nil
      return "step \(step + 1), " + (name.map { "\(phase.name), \($0)" } ?? phase.name)
    case .checkpoint, .evaluation, .other:
      let work = phase == .other ? "the work" : "the \(phase.name)"
      return step == 0 ? "\(work) before the first step" : "\(work) after step \(step)"
    }
  }
}

/// How progress lies in memory and in messages: four words a rank.
extension RankProgress {
  static let wordCount = 4
  static let beatsWord = 0
  static let waitsWord = 1
  static let placeWord = 2
  static let processWord = 3

  /// - Returns: Nil when nothing was written there yet.
  init?(_ words: (Int) -> UInt64) {
    let process = words(Self.processWord)
    let place = words(Self.placeWord)
    guard process != 0, let stage = Stage(rawValue: UInt8(truncatingIfNeeded: process >> 32)),
      let phase = Phase(rawValue: UInt8(truncatingIfNeeded: place))
    else { return nil }
    pid = Int32(truncatingIfNeeded: process)
    self.stage = stage
    self.phase = phase
    instruction = Int(place >> 8 & 0xF_FFFF) - 1
    step = Int(place >> 28)
    beats = words(Self.beatsWord)
    waits = words(Self.waitsWord)
  }

  static func place(step: Int, phase: Phase, instruction: Int) -> UInt64 {
    UInt64(step) << 28 | UInt64(instruction + 1) << 8 | UInt64(phase.rawValue)
  }

  static func process(pid: Int32, stage: Stage) -> UInt64 {
    UInt64(stage.rawValue) << 32 | UInt64(UInt32(bitPattern: pid))
  }
}
