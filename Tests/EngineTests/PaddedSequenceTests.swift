import CAllocationCount
import Engine
import Graph
import Plan
import Storage
import Testing

/// Sequences of different length, padded with zeros to the same number of steps.
@Suite("Padded sequences")
struct PaddedSequenceTests {
  typealias Sequences = SequenceGradientTests

  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var input: [Int]
    var layers: [LayerKind]
    var loss = GradientCheckTests.softmax
    var takesClasses = true
    var tokens: Int?
  }

  /// One whole sequence, one empty, one of a single step.
  static let lengths = [6, 4, 0, 1, 5]

  static let masking = LayerKind.masking(value: 0)
  static let dense = GradientCheckTests.dense(3)
  static let ignoring = LossSpec.softmaxCrossEntropy(
    labelSmoothing: 0.1, classWeights: [1, 2, 0.5], ignored: -1)

  private static func recurrent(
    _ name: String, _ cell: RecurrentCell, isBidirectional: Bool = false,
    outputs: RecurrentOutputs = .sequence, layers: Int = 1, bias: Bool = true
  ) -> Case {
    let layer = Sequences.recurrent(
      cell, units: 5, layers: layers, isBidirectional: isBidirectional, outputs: outputs, bias: bias
    )
    return Case(testDescription: name, input: [6, 3], layers: [masking, layer, dense])
  }

  static let cases: [Case] = [
    recurrent("rnn", .tanh),
    recurrent("rnn, both ways, last state", .tanh, isBidirectional: true, outputs: .last),
    recurrent("lstm", .lstm),
    recurrent("lstm, last state, no bias", .lstm, outputs: .last, bias: false),
    recurrent("lstm, two layers, both ways", .lstm, isBidirectional: true, layers: 2),
    recurrent("lstm, both ways, last state", .lstm, isBidirectional: true, outputs: .last),
    recurrent("gru, both ways", .gru(resetAfter: true), isBidirectional: true),
    recurrent("gru, last state", .gru(resetAfter: true), outputs: .last),
    recurrent("gru, reset before, both ways", .gru(resetAfter: false), isBidirectional: true),
    recurrent(
      "gru, reset before, both ways, last", .gru(resetAfter: false), isBidirectional: true,
      outputs: .last),
    Case(
      testDescription: "attention", input: [6, 4],
      layers: [masking, Sequences.attention(heads: 2), dense]),
    Case(
      testDescription: "attention, causal, rotary", input: [6, 4],
      layers: [masking, Sequences.attention(heads: 2, isCausal: true, rotaryBase: 100), dense]),
    Case(
      testDescription: "conv1d", input: [6, 3],
      layers: [masking, dense, Sequences.conv1d(4, kernel: 3), dense]),
    Case(
      testDescription: "conv1d, causal", input: [6, 3],
      layers: [masking, dense, Sequences.conv1d(4, kernel: 3, padding: .causal), .lastStep, dense]),
    Case(
      testDescription: "last step", input: [6, 3],
      layers: [masking, dense, .activation(.tanh), .lastStep, dense]),
    Case(
      testDescription: "mean over the steps", input: [6, 3],
      layers: [masking, GradientCheckTests.dense(17), .globalAveragePool, dense]),
    Case(
      testDescription: "class token", input: [6, 4],
      layers: [masking, .classToken, Sequences.attention(heads: 1), .firstStep, dense]),
    Case(
      testDescription: "transformer block on tokens", input: [6],
      layers: [
        masking, .embedding(EmbeddingSpec(vocabulary: 7, units: 4)), .positions(.sinusoidal),
        .residual(
          main: GradientCheckTests.layers(
            .layerNorm(LayerNormSpec()), Sequences.attention(heads: 2)), shortcut: []),
        .parallel(
          branches: [
            GradientCheckTests.layers(.rmsNorm(RMSNormSpec())),
            GradientCheckTests.layers(.activation(.tanh)),
          ], join: .concat), dense,
      ], tokens: 7),
    Case(
      testDescription: "learned positions", input: [6, 4],
      layers: [
        masking, .classToken, .positions(.learned(.normal(mean: 0, deviation: 1))),
        Sequences.attention(heads: 2), .firstStep, dense,
      ]),
    Case(
      testDescription: "classes to ignore", input: [6, 3], layers: [dense], loss: ignoring),
    Case(
      testDescription: "classes to ignore, padded", input: [6, 3], layers: [masking, dense],
      loss: ignoring),
    Case(
      testDescription: "yes or no at every step", input: [6, 3], layers: [masking, dense],
      loss: .sigmoidCrossEntropy(classWeights: [1, 3, 0.5]), takesClasses: false),
    Case(
      testDescription: "numbers at every step", input: [6, 3], layers: [masking, dense],
      loss: .meanSquared, takesClasses: false),
    Case(
      testDescription: "distributions at every step", input: [6, 3], layers: [masking, dense],
      takesClasses: false),
    Case(
      testDescription: "ctc", input: [6, 3], layers: [GradientCheckTests.dense(4)],
      loss: .ctc(labels: 3)),
    Case(
      testDescription: "ctc, padded", input: [6, 3],
      layers: [masking, GradientCheckTests.dense(3)],
      loss: .ctc(labels: 2)),
    Case(
      testDescription: "ctc behind an lstm", input: [6, 3],
      layers: [
        masking, Sequences.recurrent(.lstm, units: 4, isBidirectional: true),
        GradientCheckTests.dense(18),
      ], loss: .ctc(labels: 9)),
  ]

  private func network(
    _ example: Case, lengths: [Int] = Self.lengths, steps: Int? = nil
  ) throws -> SmallNetwork {
    try SmallNetwork(
      input: [steps ?? example.input[0]] + example.input.dropFirst(), example.layers,
      loss: example.loss, rows: lengths.count, classes: example.takesClasses,
      tokens: example.tokens, lengths: lengths)
  }

  @Test(
    "every parameter and every input that counts, and zeros for those that do not", arguments: cases
  )
  func gradients(_ example: Case) throws {
    let network = try network(example)
    guard let gradient = try network.expectGradients(ofInput: example.tokens == nil) else { return }
    guard case .masking = example.layers[0] else { return }
    #expect(gradient.indices.allSatisfy { network.isCounted($0) || gradient[$0] == 0 })
  }

  @Test("a padded sequence gives what it gives alone", arguments: cases)
  func alone(_ example: Case) throws {
    guard case .masking = example.layers[0] else { return }
    let padded = try network(example)
    padded.run()
    let steps = example.input[0]
    let outputs = padded.engine.output.array
    let width = outputs.count / Self.lengths.count
    let isSequence = padded.plan.graph.outputShape.count == 2
    for (row, length) in Self.lengths.enumerated() where length > 0 {
      let single = try network(example, lengths: [length], steps: length)
      let elements = padded.engine.input.count / Self.lengths.count
      padded.fillInput()
      single.engine.input.copy(
        from: padded.engine.input[row * elements..<row * elements + single.engine.input.count])
      single.engine.beginShard(
        rows: 1, batchSize: 1, step: 0, firstSample: 0, leaf: single.leaf.block)
      single.engine.runAll()
      let alone = single.engine.output.array
      let together = outputs[
        row * width..<row * width + (isSequence ? width / steps * length : width)]
      let worst = zip(alone, together).map { abs($0 - $1) }.max() ?? 1
      #expect(alone.count == together.count && worst < 1e-13, "length \(length): \(worst)")
    }
  }

  @Test("cut to fewer steps, loss and gradients are those at the padded length", arguments: cases)
  func cut(_ example: Case) throws {
    guard case .masking = example.layers[0] else { return }
    let lengths = [4, 0, 1, 5, 2]
    let padded = try network(example, lengths: lengths)
    padded.run()
    let spec = ModelSpec(input: example.input, layers: example.layers.map { LayerSpec($0) })
    let cut = try SmallNetwork(
      spec.cut(to: 5), loss: example.loss, rows: lengths.count, classes: example.takesClasses)
    #expect(cut.plan.leaf == padded.plan.leaf)
    padded.fillInput()
    copyRows(padded.engine.input, to: cut.engine.input)
    copyRows(padded.engine.classes, to: cut.engine.classes)
    copyRows(padded.engine.targets, to: cut.engine.targets)
    cut.engine.beginShard(
      rows: lengths.count, batchSize: lengths.count, step: 0, firstSample: 0, leaf: cut.leaf.block)
    cut.leaf.block.fill(.nan)
    cut.engine.runAll()
    for (parameter, range) in padded.plan.graph.parameters.indices.map({
      ($0, padded.plan.leaf.gradient(of: $0))
    }) {
      let (expected, found) = (padded.leaf.block[range].array, cut.leaf.block[range].array)
      let worst = zip(expected, found).map { abs($0 - $1) }.max() ?? 0
      #expect(worst < 1e-12, "\(padded.plan.graph.parameters[parameter].name): \(worst)")
    }
    for place in [padded.plan.leaf.loss, padded.plan.leaf.correct].compactMap(\.self) {
      #expect(abs(padded.leaf.block[place] - cut.leaf.block[place]) < 1e-12)
    }
  }

  /// Copies the beginning of each of five rows.
  private func copyRows<Element>(_ source: Block<Element>, to target: Block<Element>) {
    let (from, to) = (source.count / 5, target.count / 5)
    for row in 0..<5 {
      target[row * to..<(row + 1) * to].copy(from: source[row * from..<row * from + to])
    }
  }

  @Test(
    "the loss is the mean over the samples of the means over their steps; an empty one counts 0")
  func means() throws {
    let network = try network(
      Case(
        testDescription: "", input: [6, 3], layers: [Self.masking, Self.dense], loss: .meanSquared,
        takesClasses: false))
    let mean = network.run()
    let outputs = network.engine.output.array
    let targets = network.engine.targets.array
    let expected = Self.lengths.enumerated().reduce(0.0) { sum, row in
      let range = row.offset * 18..<row.offset * 18 + row.element * 3
      let squares = range.map { (outputs[$0] - targets[$0]) * (outputs[$0] - targets[$0]) }
      return sum + squares.reduce(0, +) / Double(max(range.count, 1))
    }
    #expect(abs(mean - expected / 5) < 1e-14, "\(mean), not \(expected / 5)")
  }

  @Test("accuracy leaves out what does not count")
  func accuracy() throws {
    for example in Self.cases where example.loss.countsRightAnswers {
      let network = try network(example)
      network.run()
      let graph = network.plan.graph
      let (positions, width) = graph.lossShape
      guard positions > 1, example.takesClasses,
        let place = network.plan.leaf.correct
      else { continue }
      let outputs = network.engine.output.array
      let isMasked = if case .masking = example.layers[0] { true } else { false }
      var expected = 0.0
      for row in 0..<network.rows {
        let counted = (0..<positions).filter {
          (!isMasked || $0 < Self.lengths[row])
            && network.engine.classes[row * positions + $0] >= 0
        }
        let right = counted.count { position in
          let z = outputs[
            (row * positions + position) * width..<(row * positions + position + 1) * width]
          let best = z.indices.max { z[$0] < z[$1] } ?? 0
          return best - z.startIndex == network.engine.classes[row * positions + position]
        }
        expected += counted.isEmpty ? 0 : Double(right) / Double(counted.count)
      }
      let found = network.leaf.block[place]
      #expect(abs(found - expected) < 1e-14, "\(example.testDescription): \(found)")
    }
  }

  @Test("nothing is allocated, forward and backward")
  func allocations() throws {
    for example in Self.cases {
      let network = try network(example)
      network.run()
      network.engine.beginShard(
        rows: 4, batchSize: 5, step: 1, firstSample: 1, leaf: network.leaf.block)
      for (index, operation) in network.plan.graph.operations.enumerated() {
        let before = allocation_count_of_thread()
        network.engine.run(index)
        let count = allocation_count_of_thread() - before
        #expect(
          count == 0, "\(example.testDescription), \(operation.kind.name): \(count) allocations")
      }
    }
  }
}

extension SmallNetwork {
  /// Expects the gradients of all parameters, and of those inputs that count, to be those of central differences.
  ///
  /// - Returns: The gradient of the input; nil: it is not wanted.
  func expectGradients(ofInput isWanted: Bool) throws -> [Double]? {
    run()
    let gradients = parameterGradients
    let inputGradient = engine.inputGradient?.array
    for (index, parameter) in plan.graph.parameters.enumerated() {
      let error = relativeError(gradients[index], of: model.parameter(index), isSmooth: true)
      #expect(error < 1e-7, "\(parameter.name): \(error)")
      #expect(gradients[index].contains { $0 != 0 }, "\(parameter.name) has no gradient")
    }
    guard isWanted else { return nil }
    let gradient = try #require(inputGradient)
    let error = relativeError(gradient, of: engine.input, isSmooth: true, where: isCounted)
    #expect(error < 1e-7, "input: \(error)")
    return gradient
  }
}
