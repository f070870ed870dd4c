import Diagnostics
import Graph
import Testing

@Suite("Lowering layers to operations")
struct LoweringTests {
  private func graph(
    _ input: [Int], _ layers: [LayerKind], loss: LossSpec? = nil, mode: GraphMode = .training
  ) throws -> ModelGraph {
    let specs = layers.enumerated().map { LayerSpec($1, place: "net.yaml:\($0 + 5):7") }
    return try GraphBuilder.forward(
      ModelSpec(input: input, layers: specs), loss: loss, mode: mode)
  }

  private func conv(_ filters: Int, _ kernel: Int, _ change: (inout Conv2DSpec) -> Void = { _ in })
    -> LayerKind
  {
    var spec = Conv2DSpec(filters: filters, kernel: Extent(kernel))
    change(&spec)
    return .conv2d(spec)
  }

  @Test("LeNet-5 has 61,706 parameters and the published shapes")
  func leNet() throws {
    let layers: [LayerKind] = [
      conv(6, 5), .activation(.tanh), .averagePool(PoolSpec(size: Extent(2))),
      conv(16, 5), .activation(.tanh), .averagePool(PoolSpec(size: Extent(2))),
      .flatten(.channelsFirst), .dense(DenseSpec(units: 120)), .activation(.tanh),
      .dense(DenseSpec(units: 84)), .activation(.tanh), .dense(DenseSpec(units: 10)),
    ]
    let graph = try graph([32, 32, 1], layers)
    #expect(graph.parameterCount == 61_706)
    #expect(
      graph.layers.map(\.outputShape)[0..<6].map { $0 } == [
        [28, 28, 6], [28, 28, 6], [14, 14, 6], [10, 10, 16], [10, 10, 16], [5, 5, 16],
      ])
    #expect(
      graph.parameters.map(\.name)[0..<3] == [
        "layers.0.weight", "layers.0.bias", "layers.3.weight",
      ])
    #expect(graph.parameters[2].layout.fileShape == [16, 6, 5, 5])
  }

  @Test(
    "same padding halves odd extents upwards and puts the odd zero behind",
    arguments: [(28, 3, 1, 28, 1, 1), (28, 3, 2, 14, 0, 1), (7, 3, 2, 4, 1, 1), (5, 2, 1, 5, 0, 1)])
  func samePadding(input: Int, kernel: Int, stride: Int, output: Int, before: Int, after: Int)
    throws
  {
    let graph = try graph(
      [input, input, 1],
      [
        conv(2, kernel) {
          $0.padding = .same
          $0.stride = Extent(stride)
        }
      ])
    guard case .convolution(let geometry) = graph.operations[0].kind else {
      Issue.record("no convolution")
      return
    }
    #expect(geometry.vertical.output == output)
    #expect(geometry.vertical.padBefore == before)
    #expect(geometry.vertical.padAfter == after)
  }

  @Test("nested layers are named by their path in the config, a name replaces the index")
  func names() throws {
    var stem = LayerSpec(.batchNorm(BatchNormSpec()))
    stem.name = "stem"
    let inner = LayerSpec(.dense(DenseSpec(units: 4)))
    let spec = ModelSpec(
      input: [4],
      layers: [
        stem, LayerSpec(.residual(main: [inner], shortcut: [])),
        LayerSpec(.parallel(branches: [[inner], [inner, inner]], join: .concat)),
        LayerSpec(.repeat(times: 2, layers: [LayerSpec(.dense(DenseSpec(units: 8)))])),
      ])
    let graph = try GraphBuilder.forward(spec, loss: nil, mode: .training)
    #expect(
      graph.parameters.map(\.name).filter { $0.hasSuffix("weight") } == [
        "layers.stem.weight", "layers.1.main.0.weight", "layers.2.branches.0.0.weight",
        "layers.2.branches.1.0.weight", "layers.2.branches.1.1.weight", "layers.3.0.0.weight",
        "layers.3.1.0.weight",
      ])
    #expect(
      graph.statistics.map(\.name) == ["layers.stem.running_mean", "layers.stem.running_var"])
    #expect(graph.outputShape == [8])
  }

  @Test("weights before a relu start as He normal, others as Xavier uniform")
  func defaultInitializers() throws {
    let graph = try graph(
      [8, 8, 3],
      [
        conv(4, 3), .batchNorm(BatchNormSpec()), .activation(.relu), .flatten(.channelsLast),
        .dense(DenseSpec(units: 5)), .activation(.tanh), .dense(DenseSpec(units: 2)),
      ])
    let weights = graph.parameters.filter { $0.kind == .weight }
    #expect(weights.map(\.initializer) == [.heNormal, .xavierUniform, .xavierUniform])
    #expect(weights.map(\.fanIn) == [27, 144, 5])
  }

  @Test("a dense layer on an image says what it got and what to do")
  func denseOnImage() {
    #expect(
      throws: Diagnostic(
        place: "net.yaml:6:7", problem: "layers.1 (dense) got an input of shape [8, 8, 4]",
        expected: "a flat input [features], or a sequence [steps, features]",
        remedy: "put flatten or global_average_pool before it")
    ) {
      try graph(
        [8, 8, 3],
        [
          conv(4, 3) { $0.padding = .same }, .dense(DenseSpec(units: 2)),
        ])
    }
  }

  @Test("a window larger than its input names both")
  func windowTooLarge() {
    #expect(
      throws: Diagnostic(
        place: "net.yaml:5:7",
        problem: "layers.0 (conv2d) has a window of 9 x 9 over an input of shape [8, 8, 3]",
        expected: "a window no larger than the padded input",
        remedy: "use a smaller kernel, padding: same, or fewer pooling layers before it")
    ) { try graph([8, 8, 3], [conv(4, 9)]) }
  }

  @Test("a residual whose paths differ names both shapes")
  func residualMismatch() {
    let main = [LayerSpec(.dense(DenseSpec(units: 5)))]
    #expect(
      throws: Diagnostic(
        place: "net.yaml:5:7",
        problem: "layers.0 (residual) adds a main path of shape [5] to a shortcut of shape [4]",
        expected: "two paths of the same shape",
        remedy: "give the shortcut a conv2d with the main path's filters and stride, kernel 1")
    ) { try graph([4], [.residual(main: main, shortcut: [])]) }
  }

  @Test("a softmax before the loss that contains one is refused")
  func doubleSoftmax() {
    #expect(
      throws: Diagnostic(
        place: "net.yaml:6:7",
        problem:
          "layers.1 (softmax) stands before softmax_cross_entropy, which applies softmax itself",
        expected: "logits at the end of the model", remedy: "remove this softmax layer")
    ) {
      try graph(
        [4], [.dense(DenseSpec(units: 3)), .softmax],
        loss: .softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil))
    }
  }

  @Test("evaluation has no dropout and reads the running statistics")
  func evaluationMode() throws {
    let layers: [LayerKind] = [
      .batchNorm(BatchNormSpec()), .dropout(rate: 0.5), .dense(DenseSpec(units: 2)),
    ]
    let training = try graph([4], layers).operations.map(\.kind.name)
    let evaluation = try graph([4], layers, mode: .evaluation).operations.map(\.kind.name)
    #expect(training == ["batch_norm", "batch_statistics", "dropout", "dense"])
    #expect(evaluation == ["batch_norm_inference", "dense"])
  }

  @Test("files have PyTorch's order, which is memory's with outer axes swapped")
  func layouts() {
    let dense = ParameterLayout.dense(inputs: 3, units: 2)
    #expect(dense.fileShape == [2, 3])
    #expect(dense.fileAxes.map { [$0.a, $0.b, $0.c] } == [2, 1, 3])
    let convolution = ParameterLayout.convolution(height: 5, width: 7, inputs: 2, outputs: 3)
    #expect(convolution.fileShape == [3, 2, 5, 7])
    #expect(convolution.fileAxes.map { [$0.a, $0.b, $0.c] } == [3, 2, 35])
    #expect(ParameterLayout.vector(4).fileAxes == nil)
  }

  @Test("batch norm over the whole batch is cut where the ranks add up, and only in training")
  func wholeBatchNorm() throws {
    var whole = BatchNormSpec()
    whole.statistics = .batch
    let layers: [LayerKind] = [.dense(DenseSpec(units: 5)), .batchNorm(whole)]
    let training = try graph([4], layers).operations.map(\.kind)
    let evaluation = try graph([4], layers, mode: .evaluation).operations.map(\.kind.name)
    #expect(
      training.map(\.name) == [
        "dense", "batch_moments", "batch_squares", "whole_batch_norm", "batch_statistics",
      ])
    #expect(training.map(\.givesBatchShare) == [false, true, true, false, false])
    #expect(evaluation == ["dense", "batch_norm_inference"])
  }

  @Test("a layer's statistics go before the model's, also inside of other layers")
  func statistics() throws {
    var shard = BatchNormSpec()
    shard.statistics = .shard
    let inner = [LayerSpec(.batchNorm(BatchNormSpec())), LayerSpec(.batchNorm(shard))]
    var spec = ModelSpec(
      input: [4],
      layers: [
        LayerSpec(.residual(main: inner, shortcut: inner)),
        LayerSpec(.parallel(branches: [inner, []], join: .add)),
        LayerSpec(.repeat(times: 2, layers: inner)),
      ])
    #expect(spec.wholeBatchNorms.isEmpty)
    spec.batchNormStatistics = .batch
    #expect(spec.wholeBatchNorms.count == 4)
    let graph = try GraphBuilder.forward(spec, loss: nil, mode: .training)
    #expect(graph.operations.count { $0.kind.name == "whole_batch_norm" } == 5)
    #expect(graph.operations.count { $0.kind.name == "batch_norm" } == 5)
  }
}
