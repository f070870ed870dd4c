import Diagnostics
import Foundation
import Randomness

/// Sequences to learn from without any file; sample `i` is a pure function of the seed, the spec and `i`.
struct GeneratedSequences {
  private let spec: GeneratedSequencesSpec
  private let seed: UInt64

  init(spec: GeneratedSequencesSpec, seed: UInt64) {
    self.spec = spec
    self.seed = seed
  }

  /// One sample's shape and what belongs to it.
  var shape: DataShape {
    switch spec.kind {
    case .series:
      DataShape(
        input: [spec.steps, 1], target: .numbers(width: 1, names: nil, isMultiHot: false))
    case .tags: tagShape
    case .trigger:
      DataShape(
        input: [spec.steps, Self.bands],
        target: .numbers(width: answerSteps, names: nil, isMultiHot: true))
    }
  }

  private var tagShape: DataShape {
    var shape = DataShape(
      input: [spec.steps],
      target: .classSequence(
        count: 3, steps: spec.steps, names: ["none higher", "one higher", "both higher"]))
    shape.vocabularyCount = Self.words
    return shape
  }

  func sample(_ index: Int) -> (inputs: [Float], targets: [Float]) {
    var random = RandomNumbers(seed: seed, purpose: "data.generated.\(spec.kind.rawValue).\(index)")
    switch spec.kind {
    case .series: return series(&random)
    case .tags: return tags(&random)
    case .trigger: return trigger(&random)
    }
  }

  /// Two waves of random phase and a little noise; the target is the step after the last.
  private func series(_ random: inout RandomNumbers) -> ([Float], [Float]) {
    let phases = (2 * Double.pi * random.uniform(), 2 * Double.pi * random.uniform())
    let period = 10 + 10 * random.uniform()
    let values = (0...spec.steps).map { step -> Float in
      let angle = 2 * Double.pi * Double(step) / period
      let noise = spec.noise * (random.uniform() - 0.5)
      return Float(sin(angle + phases.0) + 0.5 * sin(2.7 * angle + phases.1) + noise)
    }
    return (Array(values.dropLast()), [values[spec.steps]])
  }

  static let words = 20

  /// Tokens 0 to 19; a step's tag is how many of its two neighbours are higher.
  private func tags(_ random: inout RandomNumbers) -> ([Float], [Float]) {
    let tokens = (0..<spec.steps).map { _ in Float(Int(random.uniform() * Double(Self.words))) }
    let tags = tokens.indices.map { step -> Float in
      let neighbours = [step - 1, step + 1].filter(tokens.indices.contains)
      return Float(neighbours.count { tokens[$0] > tokens[step] })
    }
    return (tokens, tags)
  }

  static let bands = 101
  /// Of the convolution over the spectrogram's frames in the course's network.
  private static let (window, hop) = (15, 4)
  private static let soundFrames = 60
  private static let answerLength = 50

  private var answerSteps: Int { (spec.steps - Self.window) / Self.hop + 1 }

  /// A spectrogram of noise with up to two sounds that rise through its bands; the 50 steps after the end of each
  /// answer yes.
  ///
  /// Source: deeplearning.ai, "Sequence models", week 3, trigger word detection.
  private func trigger(_ random: inout RandomNumbers) -> ([Float], [Float]) {
    var frames = (0..<spec.steps * Self.bands).map { _ in Float(spec.noise * random.uniform()) }
    var answers = [Float](repeating: 0, count: answerSteps)
    for _ in 0..<Int(3 * random.uniform()) {
      let start = Int(random.uniform() * Double(max(1, spec.steps - Self.soundFrames)))
      let end = min(start + Self.soundFrames, spec.steps)
      for frame in start..<end {
        let band = (frame - start) * (Self.bands - 1) / Self.soundFrames
        frames[frame * Self.bands + band] += 1
      }
      let first = min(end / Self.hop, answerSteps)
      for step in first..<min(first + Self.answerLength, answerSteps) { answers[step] = 1 }
    }
    return (frames, answers)
  }
}

/// Writes generated sequences as a training part.
func generateSequences(
  _ spec: GeneratedSequencesSpec, data: DataSpec, seed: UInt64, key: String,
  into writer: PreparedFileWriter
) throws -> PreparedHeader {
  let sequences = GeneratedSequences(spec: spec, seed: seed)
  try spec.check(data.target)
  let samples = (0..<spec.samples).map { sequences.sample($0) }
  let inputOffset = try writer.startArray()
  for sample in samples { try writer.append(sample.inputs) }
  let targetOffset = try writer.startArray()
  for sample in samples {
    if spec.kind == .tags {
      try writer.append(sample.targets.map { Int32($0) })
    } else {
      try writer.append(sample.targets)
    }
  }
  let layout = PartLayout(
    count: spec.samples, element: .float32, inputOffset: inputOffset, targetOffset: targetOffset)
  return PreparedHeader(key: key, shape: sequences.shape, train: layout, dev: nil, test: nil)
}

extension GeneratedSequencesSpec {
  /// What the kind's answers are.
  private var target: TargetKind {
    switch kind {
    case .series: .values
    case .tags: .classes
    case .trigger: .multiHot
    }
  }

  fileprivate func check(_ given: TargetKind) throws {
    var faults = DiagnosticList()
    if given != target {
      faults.append(
        Diagnostic(
          place: "loss", problem: "the answers of \(kind.rawValue) are \(target.word)",
          expected: "a loss for them", remedy: "use loss: \(target.loss)"))
    }
    let least = kind == .trigger ? 100 : 2
    if steps < least {
      faults.append(
        Diagnostic(
          place: "data.steps", problem: "\(steps) steps are too few for \(kind.rawValue)",
          expected: "at least \(least)", remedy: "use more steps"))
    }
    try faults.throwIfAny()
  }
}

extension TargetKind {
  fileprivate var word: String {
    switch self {
    case .classes: "classes"
    case .multiHot: "yes or no"
    case .values: "numbers"
    }
  }

  fileprivate var loss: String {
    switch self {
    case .classes: "softmax_cross_entropy"
    case .multiHot: "sigmoid_cross_entropy"
    case .values: "mean_squared"
    }
  }
}
