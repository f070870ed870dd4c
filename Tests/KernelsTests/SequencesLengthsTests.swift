import Foundation
import Graph
import Kernels
import Storage
import Testing

/// What padded sequences need beside their layers, against loops written out.
@Suite("Lengths of sequences")
struct SequencesLengthsTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var steps: Int
    var channels: Int
    var lengths: [Int]

    var testDescription: String { "\(lengths) of \(steps) steps, \(channels) channels" }

    func index(_ sequence: Int, _ step: Int, _ channel: Int) -> Int {
      (sequence * steps + step) * channels + channel
    }

    var count: Int { lengths.count * steps * channels }

    /// Numbers that are 0 nowhere.
    var numbers: [Double] {
      testNumbers(count, testDescription, low: 0.1, high: 1)
    }
  }

  static let cases = [
    Case(steps: 1, channels: 1, lengths: [1, 0]), Case(steps: 5, channels: 1, lengths: [5, 0, 3]),
    Case(steps: 3, channels: 7, lengths: [0, 1, 2, 3]), Case(steps: 4, channels: 2, lengths: []),
    Case(steps: 2, channels: 17, lengths: [2, 1]),
    Case(steps: 6, channels: 33, lengths: [4, 6, 0]),
  ]

  /// Of each kernel its output; what counts nothing stays as it was.
  private func run<S: Scalar>(
    _ example: Case, _ numbers: [Double], _ count: Int, of scalar: S.Type,
    _ kernel: (_ input: Block<S>, _ lengths: Block<S>, _ output: Block<S>) -> Void
  ) -> [Double] {
    let input = GuardedBlock<S>(numbers)
    let lengths = GuardedBlock<S>(example.lengths.map(Double.init))
    let output = GuardedBlock<S>(count: count)
    kernel(input.block, lengths.block, output.block)
    return output.numbers
  }

  @Test("a length ends with the last step that is not all padding", arguments: cases)
  func lengths(_ example: Case) {
    var numbers = example.numbers
    for (sequence, length) in example.lengths.enumerated() {
      for step in 0..<example.steps {
        // Padding in the middle is a step like others, and one channel is enough.
        let isEmpty = step >= length || step < length - 1 && step % 2 == 0
        for channel in 0..<example.channels where isEmpty || channel != step % example.channels {
          numbers[example.index(sequence, step, channel)] = -0.5
        }
      }
    }
    let found = run(example, numbers, example.lengths.count, of: Float.self) { x, _, y in
      sequenceLengths(
        of: x, sequences: example.lengths.count, steps: example.steps, channels: example.channels,
        value: -0.5, into: y)
    }
    #expect(found == example.lengths.map(Double.init))
    let longer = run(example, numbers, found.count, of: Double.self) { _, lengths, y in
      extendLengths(lengths, by: 2, into: y)
    }
    #expect(longer == found.map { $0 + 2 })
  }

  @Test(
    "steps behind the end become 0, the last and the mean are those before it", arguments: cases)
  func forward(_ example: Case) {
    check(example, of: Double.self)
    check(example, of: Float.self)
  }

  private func check<S: Scalar>(_ example: Case, of scalar: S.Type) {
    let (steps, channels, sequences) = (example.steps, example.channels, example.lengths.count)
    let numbers = rounded(example.numbers, as: scalar)
    var (kept, last, mean) = (numbers, [Double](), [Double]())
    for (sequence, length) in example.lengths.enumerated() {
      for channel in 0..<channels {
        for step in length..<steps { kept[example.index(sequence, step, channel)] = 0 }
        let column = (0..<length).map { numbers[example.index(sequence, $0, channel)] }
        last.append(column.last ?? 0)
        mean.append(column.reduce(0, +) / Double(max(length, 1)))
      }
    }
    #expect(
      run(example, numbers, example.count, of: scalar) { x, lengths, y in
        keepSteps(
          x, lengths: lengths, sequences: sequences, steps: steps, channels: channels, into: y)
      } == kept)
    #expect(
      run(example, numbers, sequences * channels, of: scalar) { x, lengths, y in
        lastSteps(
          of: x, lengths: lengths, sequences: sequences, steps: steps, channels: channels, into: y)
      } == last)
    let found = run(example, numbers, sequences * channels, of: scalar) { x, lengths, y in
      averageSteps(
        x, lengths: lengths, sequences: sequences, steps: steps, channels: channels, into: y)
    }
    // A sum of T numbers up to 1 and a division: T + 1 roundings.
    let allowed = Double(steps + 1) * epsilon(scalar)
    #expect(zip(found, mean).allSatisfy { abs($0 - $1) <= allowed })
  }

  @Test("gradients are those of sums with any weights", arguments: cases)
  func gradients(_ example: Case) {
    let (steps, channels, sequences) = (example.steps, example.channels, example.lengths.count)
    let dy = testNumbers(sequences * channels, "gradient \(example)")
    let last = run(example, dy, example.count, of: Double.self) { dy, lengths, dx in
      lastStepsGradient(
        dy, lengths: lengths, sequences: sequences, steps: steps, channels: channels, into: dx)
    }
    let mean = run(example, dy, example.count, of: Double.self) { dy, lengths, dx in
      averageStepsGradient(
        dy, lengths: lengths, sequences: sequences, steps: steps, channels: channels, into: dx)
    }
    for (sequence, length) in example.lengths.enumerated() {
      for step in 0..<steps {
        for channel in 0..<channels {
          let index = example.index(sequence, step, channel)
          let gradient = dy[sequence * channels + channel]
          #expect(last[index] == (step == length - 1 ? gradient : 0))
          let share = step < length ? gradient * (1 / Double(length)) : 0
          #expect(mean[index] == share)
        }
      }
    }
  }

  @Test("answers count evenly among those below the length whose class is not the ignored one")
  func weights() {
    let classes = AlignedMemory<Int32>(copying: [1, -1, 0, -1, -1, -1, 2, 2, -1])
    func weights(_ ignored: Int32?, _ lengths: [Double]?) -> [Double] {
      let ends = lengths.map { GuardedBlock<Double>($0) }
      let output = GuardedBlock<Double>(count: 9)
      classes.withBlock {
        answerWeights(
          samples: 3, positions: 3, classes: ignored == nil ? nil : $0, ignored: ignored ?? 0,
          lengths: ends?.block, into: output.block)
      }
      return output.numbers
    }
    let third = 1 / 3.0
    #expect(weights(-1, nil) == [0.5, 0, 0.5, 0, 0, 0, 0.5, 0.5, 0])
    #expect(weights(nil, [3, 0, 1]) == [third, third, third, 0, 0, 0, 1, 0, 0])
    #expect(weights(-1, [2, 3, 1]) == [1, 0, 0, 0, 0, 0, 1, 0, 0])
  }

  private static let ends = [3, 0, 1]

  /// Whether zeros, and nothing else, stand behind the ends.
  private func isPadded(_ outputs: [Double], width: Int) -> Bool {
    outputs.indices.allSatisfy { index in
      let sequence = index / (4 * width)
      return (outputs[index] == 0) == (index % (4 * width) >= Self.ends[sequence] * width)
    }
  }

  @Test(
    "recurrences leave zeros behind the end and write nothing outside their blocks",
    arguments: [RecurrentCell.tanh, .lstm, .gru(resetAfter: true), .gru(resetAfter: false)],
    [false, true])
  func recurrences(cell: RecurrentCell, isReversed: Bool) {
    let shape = RecurrentShape(cell: cell, steps: 4, units: 5, isReversed: isReversed)
    let lengths = GuardedBlock<Float>(Self.ends.map(Double.init))
    let inputs = GuardedBlock<Float>(testNumbers(12 * shape.width, "x"))
    let weights = GuardedBlock<Float>(testNumbers(5 * shape.width, "w"))
    let outputs = GuardedBlock<Float>(count: 60)
    let memory = GuardedBlock<Float>(count: 60 * cell.remembered)
    let scratch = GuardedBlock<Float>(
      count: recurrenceScratchCount(shape, sequences: 3, of: Float.self))
    recurrence(
      shape, sequences: 3, inputs: inputs.block, weights: weights.block, bias: nil,
      lengths: lengths.block, outputs: outputs.block,
      memory: cell.remembered > 0 ? memory.block : nil, scratch: scratch.block)
    _ = (lengths.numbers, inputs.numbers, weights.numbers, memory.numbers, scratch.numbers)
    #expect(isPadded(outputs.numbers, width: 5))
  }

  @Test(
    "attention leaves zeros behind the end and writes nothing outside", arguments: [false, true])
  func attends(isCausal: Bool) {
    let shape = AttentionShape(
      queries: 4, keys: 4, heads: 2, headSize: 3, isCausal: isCausal, isSelf: true)
    let lengths = GuardedBlock<Float>(Self.ends.map(Double.init))
    let queries = GuardedBlock<Float>(testNumbers(216, "q"))
    let output = GuardedBlock<Float>(count: 72)
    let logarithms = GuardedBlock<Float>(count: 24)
    let scratch = GuardedBlock<Float>(count: attentionScratchCount(shape, of: Float.self))
    attention(
      shape, sequences: 3, queries: queries.block, others: nil,
      lengths: AttentionLengths(queries: lengths.block, keys: lengths.block), into: output.block,
      logarithms: logarithms.block, scratch: scratch.block)
    _ = (lengths.numbers, queries.numbers, scratch.numbers)
    #expect(isPadded(output.numbers, width: 6))
    for (index, logarithm) in logarithms.numbers.enumerated() {
      #expect((logarithm == 0) == (index % 4 >= Self.ends[index / 8]), "\(index): \(logarithm)")
    }
  }

  @Test("queries of a sequence find the keys of another that count, or nothing where none do")
  func crossAttention() {
    let (keys, queries) = ([2, 0, 4], [3, 3, 1])
    let shape = AttentionShape(
      queries: 3, keys: 4, heads: 1, headSize: 2, isCausal: false, isSelf: false)
    let q = testNumbers(18, "q")
    let others = testNumbers(48, "kv")
    let blocks = [q, others, queries.map(Double.init), keys.map(Double.init)].map {
      GuardedBlock<Double>($0)
    }
    let output = GuardedBlock<Double>(count: 18)
    let logarithms = GuardedBlock<Double>(count: 9)
    let scratch = GuardedBlock<Double>(count: attentionScratchCount(shape, of: Double.self))
    attention(
      shape, sequences: 3, queries: blocks[0].block, others: blocks[1].block,
      lengths: AttentionLengths(queries: blocks[2].block, keys: blocks[3].block),
      into: output.block, logarithms: logarithms.block, scratch: scratch.block)
    _ = (blocks.map(\.numbers), logarithms.numbers, scratch.numbers)
    for (index, found) in output.numbers.enumerated() {
      let (sequence, query, channel) = (index / 6, index / 2 % 3, index % 2)
      var (sum, total) = (0.0, 0.0)
      for key in 0..<(query < queries[sequence] ? keys[sequence] : 0) {
        let row = (sequence * 4 + key) * 4
        let start = (sequence * 3 + query) * 2
        let score = (q[start] * others[row] + q[start + 1] * others[row + 1]) / 2.0.squareRoot()
        sum += exp(score) * others[row + 2 + channel]
        total += exp(score)
      }
      #expect(abs(found - (total > 0 ? sum / total : 0)) < 1e-14)
    }
  }
}
