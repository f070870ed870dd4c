import Engine
import Graph
import Plan
import Testing
import Training

@Suite("Text, one token after the other")
struct TextGeneratorTests {
  private static let words = 23
  private static let window = 12

  enum Network: String, CaseIterable {
    case rnn, relu, lstm, gru, publishedGRU, learned, sinusoidal, rotary, convolutions

    var layers: [LayerKind] {
      [.embedding(EmbeddingSpec(vocabulary: TextGeneratorTests.words, units: 16))] + inner
        + [.dense(DenseSpec(units: TextGeneratorTests.words))]
    }

    private var inner: [LayerKind] {
      switch self {
      case .rnn: [recurrent(.tanh, layers: 2)]
      case .relu: [recurrent(.relu)]
      case .lstm: [recurrent(.lstm, layers: 2)]
      case .gru: [recurrent(.gru(resetAfter: true), layers: 2), .dropout(rate: 0.3)]
      case .publishedGRU: [recurrent(.gru(resetAfter: false))]
      case .learned: [.positions(.learned(.normal(mean: 0, deviation: 1)))] + blocks(rotary: nil)
      case .sinusoidal: [.positions(.sinusoidal)] + blocks(rotary: nil)
      case .rotary: blocks(rotary: 10_000)
      case .convolutions:
        [
          convolution(16, kernel: 3), .activation(.tanh), convolution(12, kernel: 2, dilation: 3),
          convolution(12, kernel: 1), recurrent(.lstm),
        ]
      }
    }

    private func recurrent(_ cell: RecurrentCell, layers: Int = 1) -> LayerKind {
      var spec = RecurrentSpec(cell: cell, units: 13)
      spec.layers = layers
      spec.forgetBias = cell == .lstm ? 1 : 0
      return .recurrent(spec)
    }

    private func convolution(_ filters: Int, kernel: Int, dilation: Int = 1) -> LayerKind {
      var spec = Conv1DSpec(filters: filters, kernel: kernel)
      (spec.padding, spec.dilation) = (.causal, dilation)
      return .conv1d(spec)
    }

    private func blocks(rotary: Double?) -> [LayerKind] {
      var attention = AttentionSpec(heads: 2)
      attention.isCausal = true
      attention.rotaryBase = rotary
      func list(_ kinds: [LayerKind]) -> [LayerSpec] { kinds.map { LayerSpec($0) } }
      let gated = LayerKind.parallel(
        branches: [
          list([.dense(DenseSpec(units: 24)), .activation(.silu)]),
          list([.dense(DenseSpec(units: 24))]),
        ], join: .multiply)
      let block: [LayerKind] = [
        .residual(main: list([.layerNorm(LayerNormSpec()), .attention(attention)]), shortcut: []),
        .residual(
          main: list([.rmsNorm(RMSNormSpec()), gated, .dense(DenseSpec(units: 16))]), shortcut: []),
      ]
      return block + block
    }
  }

  private func plans(_ layers: [LayerKind]) throws -> (ModelPlans, Replica) {
    var spec = SmallRun.spec()
    spec.model = ModelSpec(input: [Self.window], layers: layers.map { LayerSpec($0) })
    let plans = try ModelPlans(spec)
    return (plans, Replica(spec, plans: plans))
  }

  private func generator(
    _ plans: ModelPlans, _ replica: Replica, temperature: Double = 0, keepsSteps: Bool = true
  ) -> TextGenerator {
    TextGenerator(
      plans: plans, replica: replica, vocabulary: Self.words, seed: 1,
      sampler: TokenSampler(temperature: temperature, topK: nil, seed: 3), keepsSteps: keepsSteps)
  }

  @Test(
    "kept steps give the tokens that whole passes give, also beyond the window",
    arguments: Network.allCases)
  func sameTokens(network: Network) throws {
    let (plans, replica) = try plans(network.layers)
    for temperature in [0, 1.0] {
      var kept = generator(plans, replica, temperature: temperature)
      var whole = generator(plans, replica, temperature: temperature, keepsSteps: false)
      #expect(kept.obstacle == nil && whole.obstacle == nil)
      var tokens: [Int32] = [3, 1, 4, 1, 5]
      for _ in 0..<3 * Self.window {
        let (left, right) = (kept.logits(after: tokens), whole.logits(after: tokens))
        let worst = zip(left, right).map { abs($0 - $1) }.max() ?? 0
        // Sums over up to 24 terms of size 1 in another order: 24 · 2^-24 and some.
        #expect(
          left.count == Self.words && worst <= 1e-5, "\(tokens.count) tokens: off by \(worst)")
        let next = kept.next(after: tokens)
        #expect(next == whole.next(after: tokens), "after \(tokens)")
        tokens.append(next)
      }
      #expect(Set(tokens).count > 2, "\(tokens)")
    }
  }

  @Test(
    "a network that carries its states looks back without end",
    arguments: [RecurrentCell.lstm, .gru(resetAfter: false)])
  func carried(cell: RecurrentCell) throws {
    var spec = RecurrentSpec(cell: cell, units: 13)
    (spec.layers, spec.carriesState) = (2, true)
    let (plans, replica) = try plans([
      .embedding(EmbeddingSpec(vocabulary: Self.words, units: 16)), .recurrent(spec),
      .dense(DenseSpec(units: Self.words)),
    ])
    let kept = generator(plans, replica)
    let engine = ShardEngine(plans.evaluation, model: replica.model, usesClasses: true, seed: 1)
    let tokens = (0..<5 * Self.window).map { Int32($0 * $0 % Self.words) }
    engine.beginShard(rows: 1, batchSize: 1, step: 0, firstSample: 0, leaf: nil)
    for window in 0..<5 {
      let text = tokens.prefix((window + 1) * Self.window)
      engine.input.prefix(Self.window).copy(from: text.suffix(Self.window).map { Float($0) })
      engine.classes.fill(0)
      engine.runInference()
      engine.advanceStates()
      let worst =
        zip(kept.logits(after: Array(text)), engine.output.array.suffix(Self.words))
        .map { abs($0 - $1) }.max() ?? 1
      #expect(worst <= 1e-5, "window \(window): off by \(worst)")
    }
    #expect(kept.obstacle == nil)
  }

  @Test("another text begins anew, and a long prompt is cut to the window")
  func anotherText() throws {
    let (plans, replica) = try plans(Network.learned.layers)
    let kept = generator(plans, replica)
    let whole = generator(plans, replica, keepsSteps: false)
    let long = (0..<50).map { Int32($0 * 7 % Self.words) }
    for tokens in [[1, 2, 3], [1, 2, 4], [1, 2, 4], [2], long, Array(long.dropLast())] as [[Int32]]
    {
      let worst = zip(kept.logits(after: tokens), whole.logits(after: tokens)).map { abs($0 - $1) }
      #expect(worst.max() ?? 1 <= 1e-5, "\(tokens)")
    }
  }

  @Test("the context grows to the window, then forgets its older half", arguments: [1, 2, 5, 8])
  func context(window: Int) {
    for tokens in 1...5 * window {
      let start = contextStart(tokens: tokens, window: window)
      let count = tokens - start
      #expect(count >= 1 && count <= window)
      #expect(tokens <= window ? start == 0 : count >= window / 2)
      #expect(start % ((window + 1) / 2) == 0)
    }
  }

  @Test("a layer that needs the whole window is named, and passes serve instead")
  func obstacle() throws {
    let (plans, replica) = try plans([
      .embedding(EmbeddingSpec(vocabulary: Self.words, units: 16)), .reshape([6, 32]),
      .dense(DenseSpec(units: 32)), .reshape([12, 16]), .dense(DenseSpec(units: Self.words)),
    ])
    var generator = generator(plans, replica)
    #expect(
      generator.obstacle == SteppedGraph.Obstacle(layer: "layers.2", operation: "dense"))
    #expect((0..<Int32(Self.words)).contains(generator.next(after: [1, 2])))
  }
}
