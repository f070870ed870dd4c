import Engine
import Kernels
import Plan
import Storage

/// Continues a sequence of tokens by those that a network of next tokens gives, one after the other.
///
/// A token is computed from the tokens since `contextStart`: from all of them while they fit the model's window. Where the
/// network can be computed step by step, each token costs one step; else a pass over the window, with the same tokens.
/// A network that carries its states from window to window, and can be computed so, looks back without end.
package struct TextGenerator {
  private let path: Path
  private let window: Int
  private let vocabulary: Int
  private var sampler: TokenSampler
  /// Why each token costs a pass over the window; nil: it costs a step.
  package let obstacle: SteppedGraph.Obstacle?

  private enum Path {
    case steps(SteppedEngine<Float>, KeptContext)
    case passes(ShardEngine<Float>)
  }

  /// The tokens that a stepped engine has computed last.
  private final class KeptContext {
    var start = 0
    var tokens: [Int32] = []
  }

  /// - Parameters:
  ///   - replica: With the weights to use.
  ///   - vocabulary: Tokens that mean something; a model may have more outputs.
  ///   - keepsSteps: Whether earlier steps are kept where they can be.
  package init(
    plans: ModelPlans, replica: Replica, vocabulary: Int, seed: UInt64, sampler: TokenSampler,
    keepsSteps: Bool = true
  ) {
    self.sampler = sampler
    self.vocabulary = min(vocabulary, plans.outputs)
    window = plans.graph.inputShape[0]
    var obstacle: SteppedGraph.Obstacle?
    if keepsSteps {
      do throws(SteppedGraph.Obstacle) {
        let engine = SteppedEngine(try SteppedGraph(plans.evaluation.graph), model: replica.model)
        engine.bind(parameters: replica.usedParameters, of: plans.training.leaf)
        path = .steps(engine, KeptContext())
        self.obstacle = nil
        return
      } catch { obstacle = error }
    }
    self.obstacle = obstacle
    let engine = ShardEngine(
      plans.evaluation, model: replica.model, usesClasses: true, seed: seed)
    engine.bind(parameters: replica.usedParameters, of: plans.training.leaf)
    path = .passes(engine)
  }

  /// The token after `tokens`, of which there is at least one.
  package mutating func next(after tokens: [Int32]) -> Int32 {
    Int32(sampler.draw(from: logits(after: tokens)))
  }

  /// What the network says of the token after `tokens`, for each token of the vocabulary.
  package func logits(after tokens: [Int32]) -> [Float] {
    precondition(!tokens.isEmpty, "nothing to continue")
    let start = contextStart(tokens: tokens.count, window: window)
    switch path {
    case .steps(let engine, let kept):
      return logits(after: tokens, from: engine.steps == nil ? 0 : start, engine, kept)
    case .passes(let engine): return logits(after: Array(tokens[start...]), engine)
    }
  }

  /// Computes the steps that `kept` does not have.
  private func logits(
    after tokens: [Int32], from start: Int, _ engine: SteppedEngine<Float>, _ kept: KeptContext
  ) -> [Float] {
    let context = tokens[start...]
    if kept.start != start || !context.starts(with: kept.tokens)
      || kept.tokens.count == context.count
    {
      engine.restart()
      kept.start = start
      kept.tokens = []
    }
    var logits: [Float] = []
    for token in context.dropFirst(kept.tokens.count) {
      let output = engine.run(Float(token))
      kept.tokens.append(token)
      if kept.tokens.count == context.count { logits = output.prefix(vocabulary).array }
    }
    return logits
  }

  private func logits(after context: [Int32], _ engine: ShardEngine<Float>) -> [Float] {
    let input = engine.input.prefix(window)
    // What stands behind the last token has no influence on it: the model looks back only.
    input.copy(
      from: context.map { Float($0) } + [Float](repeating: 0, count: window - context.count))
    engine.classes.fill(0)
    engine.beginShard(rows: 1, batchSize: 1, step: 0, firstSample: 0, leaf: nil)
    engine.runInference()
    let first = (context.count - 1) * (engine.output.count / window)
    return engine.output[first..<first + vocabulary].array
  }
}

/// Where the tokens begin that the next one is computed from.
///
/// At the first one while all fit the window. Once it is full, the older half of it is forgotten at a time and the rest is
/// computed anew, so that positions stay those the network was trained with and a token costs two steps on average.
package func contextStart(tokens: Int, window: Int) -> Int {
  guard tokens > window else { return 0 }
  let half = (window + 1) / 2
  return (tokens - window + half - 1) / half * half
}
