import Engine
import Kernels
import Plan

/// Writes the target of a source, token by token, with a network that was taught to read both.
///
/// The source is encoded once. For each token the decoder runs over all steps of the target, of which those behind the last
/// token have no influence: it looks back only.
package struct Translator {
  private let network: TranslationGraph
  private let engine: ShardEngine<Float>
  private var sampler: TokenSampler

  /// - Parameter replica: With the weights to use.
  package init(_ network: TranslationGraph, replica: Replica, sampler: TokenSampler) {
    self.network = network
    self.sampler = sampler
    let plan = ExecutionPlan(
      inference: network.graph, capacity: 1, options: PlanOptions(fusion: false),
      holding: network.held)
    engine = ShardEngine(plan, model: replica.model, usesClasses: true, seed: 0)
    engine.bind(parameters: replica.usedParameters, of: replica.model.leaf)
  }

  /// The classes of the target, the first of which follows `start`.
  ///
  /// - Parameters:
  ///   - source: As the model reads it, filled up to its steps.
  ///   - start: The token that the decoder reads at the first step.
  ///   - limit: The most classes; nil: as many as the target has steps.
  ///   - token: What the decoder reads after a class.
  package mutating func translate(
    _ source: [Int32], start: Int32, limit: Int? = nil, token: (Int) -> Int32
  ) -> [Int] {
    let (sourceSteps, steps) = (network.target.lowerBound, network.target.count)
    precondition(source.count == sourceSteps, "\(source.count) tokens for \(sourceSteps) steps")
    engine.beginShard(rows: 1, batchSize: 1, step: 0, firstSample: 0, leaf: nil)
    engine.input.copy(from: source.map { Float($0) } + [Float](repeating: 0, count: steps))
    for operation in network.encoder { engine.run(operation) }
    var classes: [Int] = []
    var next = start
    let outputs = engine.output.count / steps
    for step in 0..<min(steps, limit ?? steps) {
      engine.input[sourceSteps + step] = Float(next)
      for operation in network.decoder { engine.run(operation) }
      let logits = engine.output[step * outputs..<(step + 1) * outputs].array
      classes.append(sampler.draw(from: logits))
      next = token(classes[step])
    }
    return classes
  }
}
