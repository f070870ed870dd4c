import Diagnostics
import Foundation
import Randomness

/// Sequences to learn from without any file; sample `i` is a pure function of the seed, the spec and `i`.
struct GeneratedSequences {
  private let spec: GeneratedSequencesSpec
  private let seed: UInt64
  /// The class of steps behind a sequence's end.
  private let paddingClass: Int

  init(spec: GeneratedSequencesSpec, paddingClass: Int, seed: UInt64) {
    self.spec = spec
    self.paddingClass = paddingClass
    self.seed = seed
  }

  /// One sample's shape and what belongs to it.
  var shape: DataShape {
    switch spec.kind {
    case .series:
      DataShape(
        input: [spec.steps, 1], target: .numbers(width: 1, names: nil, isMultiHot: false))
    case .tags, .paddedTags: tagShape
    case .dates: GeneratedDates.shape(steps: spec.steps)
    case .symbols:
      DataShape(
        input: [spec.steps, Self.symbolBands],
        target: .classSequence(count: Self.symbols + 1, steps: symbolPlaces, names: nil))
    case .trigger:
      DataShape(
        input: [spec.steps, Self.bands],
        target: .numbers(width: answerSteps, names: nil, isMultiHot: true))
    }
  }

  private var tagShape: DataShape {
    var shape = DataShape(
      input: [spec.steps],
      target: .classSequence(count: 3, steps: spec.steps, names: Self.tagNames))
    // Padding is a token as well.
    shape.vocabularyCount = Self.words + (spec.kind == .paddedTags ? 1 : 0)
    return shape
  }

  func sample(_ index: Int) -> (inputs: [Float], targets: [Float]) {
    var random = RandomNumbers(seed: seed, purpose: "data.generated.\(spec.kind.rawValue).\(index)")
    switch spec.kind {
    case .series: return series(&random)
    case .tags: return tags(&random)
    case .trigger: return trigger(&random)
    case .paddedTags: return paddedTags(&random)
    case .symbols: return symbols(&random)
    case .dates: return GeneratedDates.sample(steps: spec.steps, &random)
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
  private static let tagNames = ["none higher", "one higher", "both higher"]

  /// Tokens 0 to 19; a step's tag is how many of its two neighbours are higher.
  private func tags(_ random: inout RandomNumbers) -> ([Float], [Float]) {
    let tokens = (0..<spec.steps).map { _ in Float(Int(random.uniform() * Double(Self.words))) }
    let tags = tokens.indices.map { step -> Float in
      let neighbours = [step - 1, step + 1].filter(tokens.indices.contains)
      return Float(neighbours.count { tokens[$0] > tokens[step] })
    }
    return (tokens, tags)
  }

  /// Tokens 1 to 20 of at least a quarter of the steps, then 0 and the class for padding.
  private func paddedTags(_ random: inout RandomNumbers) -> ([Float], [Float]) {
    let shortest = (spec.steps + 3) / 4
    let length = shortest + Int(random.uniform() * Double(spec.steps - shortest + 1))
    let (tokens, tags) = tags(&random)
    let rest = spec.steps - length
    // The last token that counts has no neighbour behind it.
    let last = length > 1 && tokens[length - 2] > tokens[length - 1] ? 1 : 0
    return (
      tokens.prefix(length).map { $0 + 1 } + [Float](repeating: 0, count: rest),
      tags.prefix(length - 1) + [Float(last)] + [Float](repeating: Float(paddingClass), count: rest)
    )
  }

  static let symbols = 6
  private static let symbolBands = 8

  /// So many that each has room for three steps and one between it and the next.
  private var symbolPlaces: Int { spec.steps / 4 }

  /// Symbols 1 to 6, each two or three steps of its band (and a little of the next) with up to one step of noise between.
  private func symbols(_ random: inout RandomNumbers) -> ([Float], [Float]) {
    var bands = (0..<spec.steps * Self.symbolBands).map { _ in
      Float(spec.noise * random.uniform())
    }
    var labels = [Float](repeating: -1, count: symbolPlaces)
    var step = 0
    for place in 0..<1 + Int(random.uniform() * Double(symbolPlaces)) {
      let symbol = 1 + Int(random.uniform() * Double(Self.symbols))
      labels[place] = Float(symbol)
      for _ in 0..<2 + Int(2 * random.uniform()) {
        bands[step * Self.symbolBands + symbol] += 1
        bands[step * Self.symbolBands + symbol + 1] += 0.5
        step += 1
      }
      step += 1
    }
    // Behind the end are zeros.
    for index in min(step, spec.steps) * Self.symbolBands..<bands.count { bands[index] = 0 }
    return (bands, labels)
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
  try spec.check(data)
  let sequences = GeneratedSequences(
    spec: spec, paddingClass: data.ignoredClass ?? 0, seed: seed)
  let samples = (0..<spec.samples).map { sequences.sample($0) }
  let inputOffset = try writer.startArray()
  for sample in samples { try writer.append(sample.inputs) }
  let targetOffset = try writer.startArray()
  for sample in samples {
    if spec.target == .classes {
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
  fileprivate var target: TargetKind {
    switch kind {
    case .series: .values
    case .tags, .paddedTags, .symbols, .dates: .classes
    case .trigger: .multiHot
    }
  }

  /// What configs call the kind.
  private var word: String {
    switch kind {
    case .series, .tags, .trigger, .symbols, .dates: kind.rawValue
    case .paddedTags: "padded_tags"
    }
  }

  private var leastSteps: Int {
    switch kind {
    case .series, .tags, .paddedTags: 2
    case .symbols: 4
    case .dates: GeneratedDates.longest
    case .trigger: 100
    }
  }

  fileprivate func check(_ data: DataSpec) throws {
    var faults = DiagnosticList()
    let areLabels = data.firstClass > 0
    if data.target != target || areLabels != (kind == .symbols) {
      faults.append(
        Diagnostic(
          place: "loss",
          problem:
            "the answers of \(word) are \(kind == .symbols ? "lists of labels" : target.word)",
          expected: "a loss for them",
          remedy: kind == .symbols
            ? "use loss: {kind: ctc, labels: \(steps / 4)}" : "use loss: \(target.loss)"))
    }
    let least = leastSteps
    if steps < least {
      faults.append(
        Diagnostic(
          place: "data.steps", problem: "\(steps) steps are too few for \(word)",
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
