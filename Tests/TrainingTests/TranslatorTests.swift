import Engine
import Graph
import Plan
import Testing
import Training

@Suite("Translations, one token after the other")
struct TranslatorTests {
  private static let (sourceSteps, steps, classes) = (7, 5, 6)
  private static let inputs = [NamedInput("source", [sourceSteps]), NamedInput("target", [steps])]

  enum Network: String, CaseIterable {
    case transformer, lstm

    var layers: [LayerSpec] {
      let units = 8
      func embedding(from source: String? = nil) -> LayerSpec {
        var spec = LayerSpec(.embedding(EmbeddingSpec(vocabulary: 9, units: units)))
        spec.source = source
        return spec
      }
      func attention(memory: String? = nil, isCausal: Bool = false) -> LayerSpec {
        var spec = AttentionSpec(heads: 2)
        spec.memory = memory
        spec.isCausal = isCausal
        return LayerSpec(.attention(spec))
      }
      func residual(_ layer: LayerSpec) -> LayerSpec {
        LayerSpec(
          .residual(main: [LayerSpec(.layerNorm(LayerNormSpec())), layer], shortcut: []))
      }
      let dense = LayerSpec(.dense(DenseSpec(units: TranslatorTests.classes)))
      let masking = LayerSpec(.masking(value: 0))
      let learned = LayerSpec(.positions(.learned(.normal(mean: 0, deviation: 1))))
      switch self {
      case .transformer:
        return [
          masking, embedding(), learned, residual(attention()),
          LayerSpec(.layerNorm(LayerNormSpec()), name: "memory"), embedding(from: "target"),
          LayerSpec(.positions(.sinusoidal)), residual(attention(isCausal: true)),
          residual(attention(memory: "memory")), LayerSpec(.activation(.gelu)), dense,
        ]
      case .lstm:
        var reader = RecurrentSpec(cell: .lstm, units: units)
        reader.isBidirectional = true
        return [
          masking, embedding(), LayerSpec(.recurrent(reader), name: "memory"),
          embedding(from: "target"),
          LayerSpec(.recurrent(RecurrentSpec(cell: .lstm, units: units))),
          attention(memory: "memory"), LayerSpec(.activation(.tanh)), dense,
        ]
      }
    }
  }

  @Test(
    "every class is the most likely one where the network reads those before it",
    arguments: Network.allCases)
  func greedy(network: Network) throws {
    var spec = SmallRun.spec()
    spec.model = ModelSpec(inputs: Self.inputs, layers: network.layers)
    let plans = try ModelPlans(spec)
    let replica = Replica(spec, plans: plans)
    // Large weights, so that answers differ.
    for index in 0..<replica.model.parameters.count { replica.model.parameters[index] *= 4 }
    let graph = try TranslationGraph(plans.evaluation.graph, inputs: Self.inputs)
    var translator = Translator(
      graph, replica: replica, sampler: TokenSampler(temperature: 0, topK: nil, seed: 1))
    let whole = ShardEngine<Float>(
      plans.evaluation, model: replica.model, usesClasses: true, seed: 1)
    var answers = Set<[Int]>()
    for source: [Int32] in [[3, 1, 4, 1, 5, 2, 6], [2, 7, 0, 0, 0, 0, 0], [5, 8, 8, 4, 0, 0, 0]] {
      let classes = translator.translate(source, start: 8) { Int32($0) + 1 }
      #expect(classes.count == Self.steps)
      let target = [8] + classes.dropLast().map { Float($0 + 1) }
      whole.beginShard(rows: 1, batchSize: 1, step: 0, firstSample: 0, leaf: nil)
      whole.input.prefix(Self.sourceSteps + Self.steps).copy(
        from: source.map { Float($0) } + target)
      whole.classes.fill(0)
      whole.runInference()
      for step in 0..<Self.steps {
        let logits = whole.output[step * Self.classes..<(step + 1) * Self.classes].array
        #expect(classes[step] == logits.indices.max { logits[$0] < logits[$1] })
      }
      #expect(
        translator.translate(source, start: 8, limit: 2) { Int32($0) + 1 }
          == classes.prefix(2).map(\.self))
      answers.insert(classes)
    }
    #expect(answers.count > 1, "\(answers)")
  }
}
