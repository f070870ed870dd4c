import Engine
import Kernels
import Storage

/// Continues a sequence of tokens by those that a network of next tokens gives, one after the other.
///
/// Each token is computed from the last tokens that fit the model's window.
package struct TextGenerator {
  private let engine: ShardEngine<Float>
  private let window: Int
  private let vocabulary: Int
  private var sampler: TokenSampler

  /// - Parameters:
  ///   - replica: With the weights to use.
  ///   - vocabulary: Tokens that mean something; a model may have more outputs.
  package init(
    plans: ModelPlans, replica: Replica, vocabulary: Int, seed: UInt64, sampler: TokenSampler
  ) {
    self.vocabulary = min(vocabulary, plans.outputs)
    engine = ShardEngine(
      plans.evaluation, model: replica.model, usesClasses: true, seed: seed)
    engine.bind(parameters: replica.usedParameters, of: plans.training.leaf)
    window = plans.graph.inputShape[0]
    self.sampler = sampler
  }

  /// The token after `tokens`, of which there is at least one.
  package mutating func next(after tokens: [Int32]) -> Int32 {
    precondition(!tokens.isEmpty, "nothing to continue")
    let context = tokens.suffix(window)
    let input = engine.input.prefix(window)
    // What stands behind the last token has no influence on it: the model looks back only.
    input.copy(
      from: context.map { Float($0) } + [Float](repeating: 0, count: window - context.count))
    engine.classes.fill(0)
    engine.beginShard(rows: 1, batchSize: 1, step: 0, firstSample: 0, leaf: nil)
    engine.runInference()
    let width = engine.output.count / window
    let first = (context.count - 1) * width
    let row = first..<first + vocabulary
    return Int32(sampler.draw(from: engine.output[row].array))
  }
}
