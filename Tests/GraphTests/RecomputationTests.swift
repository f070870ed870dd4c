import Graph
import Testing

/// What backward computes again: which layers are blocks, what is copied, what is kept.
@Suite("Recomputation")
struct RecomputationTests {
  private static let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)

  private static func layers(_ kinds: LayerKind...) -> [LayerSpec] { kinds.map { LayerSpec($0) } }

  private static func dense(_ units: Int) -> LayerKind { .dense(DenseSpec(units: units)) }

  private static func named(
    _ name: String, _ kind: LayerKind, from source: String? = nil
  ) -> LayerSpec {
    var spec = LayerSpec(kind, name: name)
    spec.source = source
    return spec
  }

  private static func forward(
    _ layers: [LayerSpec], input: [Int] = [4], statistics: BatchNormStatistics = .shard,
    _ auxiliary: [AuxiliaryLoss] = []
  ) throws -> ModelGraph {
    var spec = ModelSpec(input: input, layers: layers)
    spec.batchNormStatistics = statistics
    return try GraphBuilder.forward(spec, loss: loss, auxiliary: auxiliary, mode: .training)
  }

  private static func recomputing(_ forward: ModelGraph) -> ModelGraph {
    forward.differentiated().recomputingBlocks(forwardCount: forward.operations.count)
  }

  private func names(_ graph: ModelGraph) -> [String] {
    graph.operations.map { $0.kind.name + ($0.isRecomputed ? " again" : "") }
  }

  @Test("a block is done again right before backward reads what was inside of it")
  func feedForward() throws {
    let main = Self.layers(
      .layerNorm(LayerNormSpec()), Self.dense(8), .activation(.gelu), Self.dense(4))
    let graph = try Self.recomputing(
      Self.forward(
        Self.layers(Self.dense(4), .residual(main: main, shortcut: []), Self.dense(2))))
    #expect(
      names(graph) == [
        "dense", "layer_norm", "dense", "gelu", "dense", "add", "dense", "loss", "sum_losses",
        "count_correct",
        "bias_gradient", "dense_weight_gradient", "dense_input_gradient", "bias_gradient",
        // The block's last two operations gave nothing that backward reads.
        "layer_norm again", "dense again", "gelu again",
        "dense_weight_gradient", "dense_input_gradient", "gelu_gradient", "bias_gradient",
        "dense_weight_gradient", "dense_input_gradient", "layer_norm_gradient", "add",
        "bias_gradient", "dense_weight_gradient",
      ])
    #expect(graph.recomputedBlockCount == 1)
    #expect(graph.recomputedFLOPs == 2 * 4 * 8)
  }

  @Test("blocks are rounds of repeat and layers of layers, the outermost without a repeat inside")
  func blocks() throws {
    let pair = Self.layers(Self.dense(4), .activation(.relu))
    let cases: [(layers: [LayerSpec], blocks: [Int?])] = [
      (pair, [nil, nil]),
      (Self.layers(.repeat(times: 2, layers: pair)), [0, 0, 1, 1]),
      (Self.layers(.sequence(pair), Self.dense(4)), [0, 0, nil]),
      (
        Self.layers(.repeat(times: 2, layers: Self.layers(.sequence(pair), Self.dense(4)))),
        [0, 0, 0, 1, 1, 1]
      ),
      (
        Self.layers(
          .residual(main: Self.layers(.residual(main: pair, shortcut: [])), shortcut: [])),
        [0, 0, 0, 0]
      ),
      (
        Self.layers(
          .sequence(pair + Self.layers(.repeat(times: 2, layers: pair), .sequence(pair)))),
        [nil, nil, 0, 0, 1, 1, 2, 2]
      ),
      (
        Self.layers(
          .residual(main: Self.layers(.repeat(times: 1, layers: pair)), shortcut: []),
          .parallel(branches: [pair, pair], join: .add)), [0, 0, nil, 1, 1, 1, 1, 1]
      ),
      ([Self.named("a", .sequence(pair)), LayerSpec(.shared(layer: "a"))], [0, 0, 1, 1]),
    ]
    for example in cases {
      let graph = try Self.forward(example.layers)
      #expect(graph.operations.prefix(example.blocks.count).map(\.block) == example.blocks)
      #expect(graph.operations.dropFirst(example.blocks.count).allSatisfy { $0.block == nil })
    }
  }

  /// Networks with all that could go wrong.
  private static func networks() throws -> [ModelGraph] {
    var conv = Conv2DSpec(filters: 3, kernel: Extent(3))
    conv.padding = .same
    let normed = layers(
      .conv2d(conv), .batchNorm(BatchNormSpec()), .activation(.relu), .dropout(rate: 0.2),
      .conv2d(conv), .batchNorm(BatchNormSpec()))
    let images = layers(
      .repeat(times: 3, layers: layers(.residual(main: normed, shortcut: []), .activation(.relu))),
      .globalAveragePool)
    var cell = RecurrentSpec(cell: .lstm, units: 5)
    cell.layers = 2
    let steps = layers(.repeat(times: 2, layers: layers(.recurrent(cell))), .lastStep)
    let sampled = layers(.sequence(layers(dense(8), .gaussianSample, .activation(.tanh), dense(4))))
    let reached: [LayerSpec] = [
      LayerSpec(.sequence([named("inside", dense(6)), LayerSpec(.activation(.gelu))])),
      LayerSpec(.sequence(layers(dense(6), .activation(.gelu), dense(6)))),
      LayerSpec(.join(JoinSpec(sources: ["inside"]))), LayerSpec(dense(4)),
    ]
    var judged = AuxiliaryLoss(.loss(.meanSquared), output: "inside")
    judged.target = "input"
    return try [
      forward(images, input: [4, 4, 3]), forward(images, input: [4, 4, 3], statistics: .batch),
      forward(steps, input: [6, 4]), forward(sampled), forward(reached),
      forward(reached, input: [6], [judged]),
    ]
  }

  @Test("everything is done once but for copies of what has no other effect")
  func once() throws {
    for forward in try Self.networks() {
      let (plain, graph) = (forward.differentiated(), Self.recomputing(forward))
      let kept = graph.operations.filter { !$0.isRecomputed }
      #expect(kept.map(\.kind) == plain.operations.map(\.kind))
      #expect(kept.map(\.outputs) == plain.operations.map(\.outputs))
      #expect(graph.recomputedBlockCount > 0)
      for copy in graph.operations where copy.isRecomputed {
        #expect(copy.outputs.allSatisfy { graph[$0].role.isInArena })
        #expect(!copy.kind.givesBatchShare, "\(copy.kind.name)")
        #expect(plain.operations.contains { $0.kind == copy.kind && $0.layer == copy.layer })
      }
    }
  }

  @Test("backward reads of a block's inside only copies, and values that do not grow with samples")
  func nothingKept() throws {
    for forward in try Self.networks() {
      let graph = Self.recomputing(forward)
      let backward = graph.operations[forward.operations.count...]
      let read = Set(backward.flatMap(\.inputs))
      for operation in forward.operations {
        guard let block = operation.block else { continue }
        for output in operation.outputs
        where graph[output].role == .activation && read.contains(output) {
          let readers = forward.operations.filter { $0.inputs.contains(output) }
          #expect(
            readers.contains { $0.block != block },
            "\(operation.kind.name) of \(operation.layer)")
        }
      }
    }
  }

  @Test("what a loss or a later layer reads of a block's inside stays")
  func reachedInside() throws {
    let graphs = try Self.networks()
    for forward in graphs.suffix(2) {
      let graph = Self.recomputing(forward)
      let again = graph.operations.filter(\.isRecomputed)
      // Of the first block nothing: all it computes is read outside of it.
      #expect(again.map(\.layer) == ["layers.1.0", "layers.1.1"])
    }
  }

  @Test("statistics of a batch norm are kept, its outputs are not")
  func statistics() throws {
    let graph = Self.recomputing(try Self.networks()[0])
    let names = names(graph)
    #expect(names.count { $0 == "batch_norm" } == 6)
    // Of each round the first norm: the second one's output is only added to.
    #expect(names.count { $0 == "batch_norm again" } == 3)
    #expect(names.count { $0 == "batch_statistics" } == 6)
    #expect(!names.contains("batch_statistics again"))
    let gradients = graph.operations.filter { $0.kind.name == "batch_norm_gradient" }
    for gradient in gradients {
      let norm = graph.operations.first { $0.outputs.contains(gradient.inputs.last ?? graph.input) }
      #expect(norm?.isRecomputed == false)
    }
  }

  @Test("what all ranks sum within a step is summed once")
  func wholeBatch() throws {
    let names = names(Self.recomputing(try Self.networks()[1]))
    #expect(names.count { $0 == "whole_batch_norm again" } == 3)
    for name in ["batch_moments", "batch_squares"] {
      #expect(names.count { $0 == name } == 6)
      #expect(!names.contains("\(name) again"))
    }
  }

  @Test("a model without blocks stays as it is")
  func noBlocks() throws {
    let layers = Self.layers(Self.dense(4), .activation(.gelu), Self.dense(2))
    let forward = try Self.forward(layers)
    #expect(Self.recomputing(forward) == forward.differentiated())
    #expect(!ModelSpec(input: [4], layers: layers).hasBlocks)
  }
}
