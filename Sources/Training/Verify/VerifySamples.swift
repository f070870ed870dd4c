import Collectives
import Datasets
import Engine
import Foundation
import Graph
import Kernels
import Randomness
import Storage

// Shapes: B samples, E elements of a sample, T targets of a sample, H numbers of a state.

/// The samples that proofs work on, the same on every rank.
package final class VerifySamples {
  package let count: Int
  /// nil: of the config's data; else why not.
  package let substitution: String?
  private let elements: Int
  private let answers: Int
  /// `[B, E]`
  let inputs: AlignedMemory<Float>
  /// `[B, T]`; empty where targets are numbers.
  let classes: AlignedMemory<Int32>
  /// `[B, T]`; empty where targets are classes.
  let values: AlignedMemory<Float>
  /// What the windows before the samples left, made up: of every state that layers carry `[B, H]`.
  private let states: [AlignedMemory<Float>]

  /// Reads (or makes up) the samples on rank 0 and gives them to all ranks.
  ///
  /// - Parameters:
  ///   - spec: The run as it was written.
  ///   - plans: Of `spec`.
  ///   - graph: The model as it is proven, perhaps on smaller inputs.
  package init(
    _ spec: RunSpec, plans: ModelPlans, graph: ModelGraph, count: Int, inputPlace: String,
    over collectives: any Collectives
  ) throws {
    self.count = count
    elements = graph.inputShape.reduce(1, *)
    answers = graph.answers
    let usesClasses = spec.data.target == .classes
    let width = usesClasses ? answers : graph.outputShape.reduce(1, *)
    inputs = AlignedMemory(count: count * elements)
    classes = AlignedMemory(count: usesClasses ? count * width : 0)
    values = AlignedMemory(count: usesClasses ? 0 : count * width)
    states = graph.states.map { state in
      var random = RandomNumbers(seed: spec.seed, purpose: "verify \(state.name)")
      return AlignedMemory(
        copying: (0..<count * state.units).map { _ in Float(random.uniform() - 0.5) })
    }
    let missing = spec.data.source.paths.filter { !FileManager.default.fileExists(atPath: $0) }
    substitution = missing.isEmpty ? nil : "generated: \(missing[0]) is not there"
    try collectives.agree {
      guard collectives.isRoot else { return }
      if missing.isEmpty {
        try read(spec, plans, graph, inputPlace: inputPlace)
      } else {
        makeUp(spec, graph)
      }
    }
    try collectives.broadcast(inputs.block, from: 0)
    if classes.block.count > 0 { try collectives.broadcast(classes.block, from: 0) }
    if values.block.count > 0 { try collectives.broadcast(values.block, from: 0) }
  }

  /// Fills an engine's input and targets with samples, counted from the first again behind the last.
  ///
  /// - Parameter bringsStates: Whether layers that carry states get those of the samples; else they go on with their own.
  func load<S: Scalar>(
    _ positions: Range<Int>, into engine: ShardEngine<S>, bringsStates: Bool = true
  ) {
    for (row, position) in positions.enumerated() {
      let sample = position % count
      if bringsStates { loadStates(sample, row: row, into: engine) }
      copy(inputs.block, sample, width: elements, into: engine.input, row: row)
      if engine.usesClasses {
        let width = classes.block.count / count
        engine.classes[row * width..<(row + 1) * width].copy(
          from: classes.block[sample * width..<(sample + 1) * width])
      } else {
        copy(
          values.block, sample, width: values.block.count / count, into: engine.targets, row: row)
      }
    }
  }

  private func loadStates<S: Scalar>(_ sample: Int, row: Int, into engine: ShardEngine<S>) {
    for (state, memory) in states.enumerated() {
      let units = memory.block.count / count
      let numbers = memory.block[sample * units..<(sample + 1) * units].array.map { S($0) }
      engine.states?.set(state, sample: row, to: numbers)
    }
  }

  private func copy<S: Scalar>(
    _ source: Block<Float>, _ sample: Int, width: Int, into target: Block<S>, row: Int
  ) {
    let numbers = source[sample * width..<(sample + 1) * width].array
    target[row * width..<(row + 1) * width].copy(from: numbers.map { S($0) })
  }

  // MARK: Where they come from

  private func read(
    _ spec: RunSpec, _ plans: ModelPlans, _ graph: ModelGraph, inputPlace: String
  ) throws {
    try LoadedData.prepare(
      spec.data, seed: spec.seed, outputs: plans.targetOutputs, answers: plans.answers)
    let data = try LoadedData.open(
      spec.data, seed: spec.seed, outputs: plans.targetOutputs, answers: plans.answers)
    try data.shape.checkInput(
      ofModel: spec.model.input, inputs: spec.model.inputs.map(\.name), place: inputPlace)
    let loader = BatchLoader<Float>(part: data.train, statistics: data.statistics)
    let order = EpochOrder(count: data.train.count, seed: spec.seed, epoch: 0)
    let input = AlignedMemory<Float>(count: loader.elementCount)
    let target = AlignedMemory<Float>(count: data.shape.target.width)
    let labels = AlignedMemory<Int32>(count: data.shape.target.answers)
    for sample in 0..<count {
      let position = sample % data.train.count
      let range = position..<position + 1
      input.withBlock { input in
        loader.loadInputs(range, order: order, into: input)
        crop(
          input, of: spec.model.input, to: graph.inputShape,
          into: inputs.block[sample * elements..<(sample + 1) * elements])
      }
      if classes.block.count > 0 {
        labels.withBlock {
          loader.loadClasses(range, order: order, into: $0)
          row(sample, of: classes).copy(from: $0.prefix(classes.block.count / count))
        }
      } else {
        target.withBlock {
          loader.loadValues(range, order: order, into: $0)
          row(sample, of: values).copy(from: $0.prefix(values.block.count / count))
        }
      }
    }
  }

  private func row<Element>(_ sample: Int, of memory: AlignedMemory<Element>) -> Block<Element> {
    let width = memory.block.count / count
    return memory.block[sample * width..<(sample + 1) * width]
  }

  private func makeUp(_ spec: RunSpec, _ graph: ModelGraph) {
    var random = RandomNumbers(seed: spec.seed, purpose: "verify samples")
    var words = [Int?](repeating: nil, count: elements)
    for reader in graph.tokenReaders {
      for element in reader.elements { words[element] = reader.words }
    }
    for index in 0..<inputs.block.count {
      let number = random.uniform()
      inputs.block[index] =
        words[index % elements].map { Float(Int(number * Double($0))) } ?? Float(4 * number - 2)
    }
    for index in 0..<classes.block.count {
      let number = random.uniform()
      let first = spec.loss.firstClass
      // Of labels that no step has to itself only so many that they fit in for sure.
      let isLeftOut = spec.loss.spellsLabels && index % answers > answers / 2
      classes.block[index] =
        isLeftOut ? -1 : Int32(first) + Int32(number * Double(graph.outputs - first))
    }
    let hasAnswers = spec.loss.countsRightAnswers
    for index in 0..<values.block.count {
      let number = random.uniform()
      values.block[index] = Float(hasAnswers ? number.rounded() : 2 * number - 1)
    }
  }
}

/// The corner (or beginning) of a sample, `[H, W, C]` or `[T, C]`, that a smaller shape has room for.
private func crop(
  _ source: Block<Float>, of shape: [Int], to smaller: [Int], into target: Block<Float>
) {
  guard shape != smaller else { return target.copy(from: source) }
  let rowWidth = shape.dropFirst().reduce(1, *)
  let width = smaller.dropFirst().reduce(1, *)
  for row in 0..<smaller[0] {
    target[row * width..<(row + 1) * width].copy(
      from: source[row * rowWidth..<row * rowWidth + width])
  }
}

/// An embedding that reads a sample, or one of several inputs that it consists of.
struct TokenReader {
  /// Of a sample.
  var elements: Range<Int>
  /// How many tokens it tells apart; what it reads is below.
  var words: Int
  var channels: Int
  var table: ValueID
}

extension ModelGraph {
  /// What reads tokens; where nothing does, a sample consists of any numbers.
  var tokenReaders: [TokenReader] {
    var parts = [input: 0..<self[input].elementCount]
    var readers: [TokenReader] = []
    for operation in operations {
      guard let read = operation.inputs.first, let elements = parts[read] else { continue }
      switch operation.kind {
      case .slice(let offset, let count, _, 1) where read == input:
        parts[operation.outputs[0]] = offset..<offset + count
      case .embedding(let words, let channels):
        readers.append(
          TokenReader(
            elements: elements, words: words, channels: channels, table: operation.inputs[1]))
      default: continue
      }
    }
    return readers
  }
}
