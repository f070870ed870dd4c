import Engine
import Graph
import Kernels
import Plan
import Storage
import Testing

/// The contract lets ranks run the forward pass over any number of samples at once.
@Suite("Forward pass")
struct ForwardPassTests {
  @Test("a sample's bits do not depend on how many samples run with it, in Float")
  func anyRowsFloat() throws { try anyRows(Float.self) }

  @Test("a sample's bits do not depend on how many samples run with it, in Double")
  func anyRowsDouble() throws { try anyRows(Double.self) }

  private func anyRows<S: Scalar>(_ scalar: S.Type) throws {
    for (name, input, layers) in Self.networks {
      let together = try ForwardPass<S>(input, layers, capacity: 13).run(13)
      let width = together.count / 13
      for pieces in [[5, 8], [1, 2, 3, 7], Array(repeating: 1, count: 13)] {
        // Of another capacity, which may choose other ways to cut the work.
        let network = try ForwardPass<S>(input, layers, capacity: pieces.max() ?? 1)
        var first = 0
        for rows in pieces {
          let part = network.run(rows, from: first)
          #expect(
            part == Array(together[first * width..<(first + rows) * width]),
            "\(name): \(rows) from \(first)")
          first += rows
        }
      }
    }
  }

  @Test("other parameters can be bound, such as an average of the weights")
  func boundParameters() throws {
    let network = try ForwardPass<Float>(SmallStep.images, SmallStep.layers, capacity: 3)
    let before = network.run(3)
    let memory = AlignedMemory<Float>(count: network.model.parameters.count)
    memory.withBlock { average in
      for index in 0..<average.count { average[index] = network.model.parameters[index] / 2 }
      network.engine.bind(parameters: average, of: network.model.leaf)
      #expect(network.run(3) != before)
      average.copy(from: network.model.parameters)
      #expect(network.run(3) == before)
    }
  }

  private static let networks: [(String, [Int], [LayerKind])] = {
    typealias Images = GradientCheckTests
    func conv(
      _ filters: Int, _ kernel: Int = 3, stride: Int = 1, groups: Int = 1, dilation: Int = 1
    ) -> LayerKind {
      var spec = Conv2DSpec(filters: filters, kernel: Extent(kernel))
      spec.padding = .same
      spec.stride = Extent(stride)
      spec.groups = .count(groups)
      spec.dilation = Extent(dilation)
      return .conv2d(spec)
    }
    func layers(_ kinds: LayerKind...) -> [LayerSpec] { kinds.map { LayerSpec($0) } }
    return [
      ("small network", SmallStep.images, SmallStep.layers),
      (
        "convolutions", [9, 11, 4],
        [
          conv(16), .activation(.gelu), conv(32), .batchNorm(BatchNormSpec()), .activation(.relu),
          conv(32, 5, stride: 2), conv(32, groups: 4), .activation(.elu(alpha: 1)),
          conv(24, 1), conv(24, groups: 24), .layerNorm(LayerNormSpec()), conv(8, dilation: 2),
          .averagePool(PoolSpec(size: Extent(2))), .globalAveragePool,
        ]
      ),
      (
        "dense", [300],
        [
          .dense(DenseSpec(units: 517)), .activation(.silu), .dense(DenseSpec(units: 64)), .softmax,
          .dense(DenseSpec(units: 17)), .activation(.sigmoid),
        ]
      ),
      (
        "images", [6, 5, 3],
        [
          conv(20), Images.squeeze(5, .silu), .groupNorm(GroupNormSpec(groups: 4)),
          Images.response(5, alpha: 1, beta: 0.75, k: 2), Images.prelu(shared: false),
          .stochasticDepth(rate: 0.3), .spatialDropout(rate: 0.3),
          Images.transposed(24, 4) { $0.stride = Extent(2) },
          Images.upsample(Extent(2), .bilinear), .activation(.hardSwish),
          Images.upsample(Extent(2), .nearest), Images.instanceNorm(affine: true),
          .adaptiveAveragePool(Extent(3)), .activation(.softplus), .globalAveragePool,
        ]
      ),
      (
        "branches", [7, 7, 3],
        [
          .parallel(
            branches: [layers(conv(5)), layers(.maxPool(samePool)), []], join: .concat),
          .residual(main: layers(conv(11), .activation(.tanh)), shortcut: []),
          .flatten(.channelsFirst),
          .dense(DenseSpec(units: 10)),
        ]
      ),
    ]
  }()

  private static let samePool: PoolSpec = {
    var pool = PoolSpec(size: Extent(3))
    pool.stride = Extent(1)
    pool.padding = .same
    return pool
  }()
}

/// A network for use; sample n is a function of n.
struct ForwardPass<S: Scalar> {
  let model: ModelMemory<S>
  let engine: ShardEngine<S>
  private let width: Int

  init(_ input: [Int], _ layers: [LayerKind], capacity: Int) throws {
    let spec = ModelSpec(input: input, layers: layers.map { LayerSpec($0) })
    let plan = ExecutionPlan(
      inference: try GraphBuilder.forward(spec, loss: nil, mode: .evaluation), capacity: capacity)
    model = ModelMemory(plan)
    model.fillByWaves()
    engine = ShardEngine(plan, model: model, usesClasses: false, seed: 1)
    width = input.reduce(1, *)
  }

  func run(_ rows: Int, from first: Int = 0) -> [S] {
    for index in 0..<rows * width { engine.input[index] = S(3 * wave(first * width + index, 0.3)) }
    engine.beginShard(rows: rows, batchSize: rows, step: 0, firstSample: first, leaf: nil)
    engine.runInference()
    return engine.output.array
  }
}
