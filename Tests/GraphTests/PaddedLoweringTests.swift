import Diagnostics
import Graph
import Testing

/// Where the lengths of padded sequences go, and where they cannot go.
@Suite("Lowering of padded sequences")
struct PaddedLoweringTests {
  private func graph(
    _ input: [Int], _ layers: [LayerKind], loss: LossSpec? = nil, cut: Int? = nil
  ) throws -> ModelGraph {
    let specs = layers.enumerated().map { LayerSpec($1, place: "net.yaml:\($0 + 5):7") }
    let spec = ModelSpec(input: input, layers: specs)
    return try GraphBuilder.forward(
      cut.map { spec.cut(to: $0) } ?? spec, loss: loss, mode: .training)
  }

  private let masking = LayerKind.masking(value: 0)
  private let softmax = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)

  private func conv1d(stride: Int = 1, padding: SequencePadding) -> LayerKind {
    var spec = Conv1DSpec(filters: 2, kernel: 3)
    spec.stride = stride
    spec.padding = padding
    return .conv1d(spec)
  }

  @Test("without masking no operation knows lengths")
  func unpadded() throws {
    let layers: [LayerKind] = [
      .recurrent(RecurrentSpec(cell: .lstm, units: 3)), .attention(AttentionSpec(heads: 1)),
      conv1d(padding: .same), .lastStep, .dense(DenseSpec(units: 2)),
    ]
    let plain = try graph([5, 4], layers, loss: softmax).operations.map(\.kind.name)
    #expect(
      plain == [
        "dense", "lstm", "dense", "attention", "dense", "conv2d", "step", "dense", "loss",
        "sum_losses", "count_correct",
      ])
  }

  @Test("with it they take them from one operation")
  func padded() throws {
    let layers: [LayerKind] = [
      masking, .recurrent(RecurrentSpec(cell: .lstm, units: 3)), .activation(.tanh),
      .dropout(rate: 0.1), .attention(AttentionSpec(heads: 1)), conv1d(padding: .same),
      .dense(DenseSpec(units: 2)),
    ]
    let graph = try graph([5, 4], layers, loss: softmax)
    #expect(
      graph.operations.map(\.kind.name) == [
        "sequence_lengths", "dense", "lstm", "tanh", "dropout", "dense", "attention", "dense",
        "keep_steps", "conv2d", "dense", "answer_weights", "loss", "sum_losses", "count_correct",
      ])
    let lengths = graph.operations[0].outputs[0]
    #expect(
      graph.operations.filter { $0.inputs.contains(lengths) }.map(\.kind.name) == [
        "lstm", "attention", "keep_steps", "answer_weights",
      ])
  }

  @Test("losses compare the outputs of a step where steps may not count, else all of them")
  func lossShapes() throws {
    let sigmoid = LossSpec.sigmoidCrossEntropy(classWeights: nil)
    let dense = LayerKind.dense(DenseSpec(units: 3))
    #expect(try graph([5, 4], [masking, dense], loss: sigmoid).lossShape == (5, 3))
    #expect(try graph([5, 4], [dense], loss: sigmoid).lossShape == (1, 15))
    for layers in [[masking, dense], [dense]] {
      let graph = try graph([5, 4], layers, loss: sigmoid)
      #expect(graph.answers == 1 && graph.outputs == 15)
      let spelling = try self.graph([5, 4], layers, loss: .ctc(labels: 2))
      #expect(spelling.answers == 2 && spelling.outputs == 3)
    }
  }

  struct Refusal: CustomTestStringConvertible, Sendable {
    var input = [6, 4]
    var layers: [LayerKind]
    var loss: LossSpec?
    var fault: Diagnostic

    var testDescription: String { fault.problem }
  }

  static let refusals: [Refusal] = [
    Refusal(
      input: [6, 4, 1], layers: [.masking(value: 0)],
      fault: Diagnostic(
        place: "net.yaml:5:7", problem: "layers.0 (masking) got an input of shape [6, 4, 1]",
        expected: "tokens, [steps], or a sequence [steps, channels]",
        remedy: "put it where the steps are, as a rule first in the model")),
    Refusal(
      layers: [.masking(value: 0), .batchNorm(BatchNormSpec())],
      fault: Diagnostic(
        place: "net.yaml:6:7",
        problem: "layers.1 (batch_norm) takes means over the steps of padded sequences",
        expected: "a norm of each step alone behind masking",
        remedy: "use layer_norm or rms_norm")),
    Refusal(
      layers: [.masking(value: 0), .flatten(.channelsLast)],
      fault: Diagnostic(
        place: "net.yaml:6:7",
        problem: "layers.1 (flatten) makes one row of padded sequences of shape [6, 4]",
        expected: "what knows where sequences end",
        remedy: "use last_step or global_average_pool, or remove masking")),
    Refusal(
      input: [6], layers: [.masking(value: 0), .dense(DenseSpec(units: 6))],
      fault: Diagnostic(
        place: "net.yaml:6:7",
        problem: "layers.1 (dense) reads the 6 steps of padded sequences as channels",
        expected: "a sequence [steps, channels] behind masking",
        remedy: "put embedding or reshape: [6, 1] before it, or remove masking")),
    Refusal(
      layers: [
        .masking(value: 0),
        .conv1d(
          {
            var spec = Conv1DSpec(filters: 2, kernel: 3)
            spec.stride = 2
            return spec
          }()),
      ],
      fault: Diagnostic(
        place: "net.yaml:6:7",
        problem: "layers.1 (conv1d) turns padded sequences of shape [6, 4] into [2, 2]",
        expected: "as many steps as before, since masking has found where sequences end",
        remedy: "use stride 1 and padding: same, or remove masking")),
    Refusal(
      layers: [.residual(main: [LayerSpec(.masking(value: 0))], shortcut: [])],
      fault: Diagnostic(
        place: "net.yaml:5:7",
        problem: "layers.0 (residual) joins sequences that are padded differently",
        expected: "paths that know the same lengths", remedy: "put masking before the paths")),
    Refusal(
      input: [6], layers: [.masking(value: 0)], loss: .meanSquared,
      fault: Diagnostic(
        place: "loss", problem: "the model ends in padded sequences of shape [6]",
        expected: "an answer for every step, [steps, outputs], or one for each sample",
        remedy: "end the model with a dense layer, or with last_step and a dense layer")),
    Refusal(
      layers: [.lastStep],
      loss: .softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil, ignored: -1),
      fault: Diagnostic(
        place: "loss", problem: "ignore leaves out steps, the model ends in [4]",
        expected: "logits of every step, [steps, classes]",
        remedy: "remove ignore, and from the data the samples without a class")),
    Refusal(
      layers: [.lastStep], loss: .ctc(labels: 3),
      fault: Diagnostic(
        place: "loss", problem: "ctc reads logits of every step, the model ends in [4]",
        expected: "a sequence [steps, classes], with the blank as class 0",
        remedy: "end the model with a dense layer over the steps, one unit more than labels")),
    Refusal(
      layers: [.softmax], loss: .ctc(labels: 3),
      fault: Diagnostic(
        place: "net.yaml:5:7",
        problem: "layers.0 (softmax) stands before ctc, which applies softmax itself",
        expected: "logits at the end of the model", remedy: "remove this softmax layer")),
  ]

  static let cutRefusals: [Refusal] = [
    Refusal(
      layers: [.recurrent(RecurrentSpec(cell: .lstm, units: 3))],
      fault: Diagnostic(
        place: "net.yaml:5:7",
        problem:
          "layers.0 (lstm) reads the model's input without masking, padding included, of which"
          + " data.buckets cuts some off",
        expected: "masking before every layer that reads the input, with data.buckets",
        remedy: "put masking before it, or remove data.buckets")),
    Refusal(
      layers: [
        .masking(value: 0), .dense(DenseSpec(units: 2)), .masking(value: 1),
      ],
      fault: Diagnostic(
        place: "net.yaml:7:7",
        problem:
          "layers.2 (masking) looks for padding behind other layers, where data.buckets does not know it",
        expected: "masking of the model's input with data.buckets",
        remedy: "make it the first layer, or remove data.buckets")),
    Refusal(
      layers: [
        .masking(value: 0),
        .attention(
          {
            var spec = AttentionSpec(heads: 2)
            spec.memory = "input"
            return spec
          }()),
      ],
      fault: Diagnostic(
        place: "net.yaml:6:7",
        problem:
          "layers.1 (attention) reads the model's input without masking, padding included, of which"
          + " data.buckets cuts some off",
        expected: "masking before every layer that reads the input, with data.buckets",
        remedy: "put masking before it, or remove data.buckets")),
  ]

  @Test(
    "cut to fewer steps, what does not know where sequences end is refused",
    arguments: cutRefusals)
  func cutRefused(_ example: Refusal) throws {
    _ = try graph(example.input, example.layers)
    #expect(throws: example.fault) { try graph(example.input, example.layers, cut: 5) }
  }

  @Test("cut to fewer steps, positions keep their rows")
  func cutPositions() throws {
    let layers: [LayerKind] = [
      masking, .classToken, .positions(.learned(.zeros)), .lastStep, .dense(DenseSpec(units: 2)),
    ]
    let (full, cut) = (try graph([6, 4], layers), try graph([6, 4], layers, cut: 3))
    #expect(cut.parameters == full.parameters)
    #expect(cut.parameters[1].layout == .table(rows: 7, columns: 4))
    #expect(cut.operations.contains { $0.kind == .addPositions(steps: 4, channels: 4) })
  }

  @Test("what would let padding take part is refused", arguments: refusals)
  func refused(_ example: Refusal) {
    #expect(throws: example.fault) {
      try graph(example.input, example.layers, loss: example.loss)
    }
  }
}
