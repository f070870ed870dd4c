import Collectives
import Engine
import Foundation
import Graph
import Kernels
import Metrics
import Plan
import Testing
import Training

/// A dense layer with the identity as weights: its outputs are its inputs.
@Suite("Evaluation")
struct EvaluatorTests {
  private let softmax = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)

  private struct Samples {
    var inputs: [[Double]]
    var classes: [Int32] = []
    var targets: [[Double]] = []
  }

  /// - Parameter capacity: Samples per forward pass.
  private func evaluate(_ samples: Samples, loss: LossSpec, capacity: Int = 2) throws -> Evaluation
  {
    let width = samples.inputs[0].count
    let spec = ModelSpec(input: [width], layers: [LayerSpec(.dense(DenseSpec(units: width)))])
    let plan = ExecutionPlan(
      inference: try GraphBuilder.forward(spec, loss: loss, mode: .evaluation), capacity: capacity)
    let model = ModelMemory<Double>(plan)
    model.setParameter(0, fileOrder: (0..<width * width).map { $0 % (width + 1) == 0 ? 1 : 0 })
    let engine = ShardEngine(plan, model: model, usesClasses: samples.targets.isEmpty, seed: 1)
    let evaluator = Evaluator(engine: engine, loss: loss, collectives: SoloCollectives())
    return try evaluator.evaluate(samples: samples.inputs.count) { range in
      for (row, sample) in range.enumerated() {
        let columns = row * width..<(row + 1) * width
        engine.input[columns].copy(from: samples.inputs[sample])
        if engine.usesClasses {
          engine.classes[row] = samples.classes[sample]
        } else {
          engine.targets[columns].copy(from: samples.targets[sample])
        }
      }
    }
  }

  @Test("each of three samples counts once, however many run at once", arguments: [1, 2, 3, 8])
  func classes(capacity: Int) throws {
    let samples = Samples(
      inputs: [[log(1), log(2), log(5)], [log(8), log(1), log(1)], [0, 0, 0]], classes: [2, 1, 0])
    let result = try evaluate(samples, loss: softmax, capacity: capacity)
    #expect(result.samples == 3)
    // -ln of 5/8, 1/10 and 1/3.
    let loss = -(log(5.0 / 8) + log(0.1) + log(1.0 / 3)) / 3
    #expect(abs(result.loss - loss) < 1e-7)
    #expect(result.accuracy == 2.0 / 3)
    guard case .classes(let labels, let predictions, let probabilities) = result.predictions else {
      Issue.record("\(String(describing: result.predictions))")
      return
    }
    #expect(labels == [2, 1, 0])
    // Of equal outputs the first is the answer.
    #expect(predictions == [2, 0, 0])
    let worst = zip(probabilities, [0.625, 0.8, 1 / 3]).map { abs(Double($0) - $1) }.max() ?? 1
    #expect(worst < 1e-7)
  }

  @Test("the target rows of softmax name their class by the largest number")
  func targetRows() throws {
    let samples = Samples(inputs: [[0, 1], [3, 1]], targets: [[0, 1], [0.2, 0.8]])
    let result = try evaluate(samples, loss: softmax)
    #expect(result.accuracy == 0.5)
    guard case .classes(let labels, let predictions, _) = result.predictions else {
      Issue.record("\(String(describing: result.predictions))")
      return
    }
    #expect(labels == [1, 1] && predictions == [1, 0])
  }

  @Test("several yes or no: each output is a part of the sample's rightness")
  func multiHot() throws {
    let samples = Samples(inputs: [[2, -2], [-log(3), 1]], targets: [[1, 0], [1, 1]])
    let result = try evaluate(samples, loss: .sigmoidCrossEntropy(classWeights: nil))
    #expect(result.accuracy == 0.75)
    guard case .multiHot(let labels, let probabilities) = result.predictions else {
      Issue.record("\(String(describing: result.predictions))")
      return
    }
    #expect(labels == [1, 0, 1, 1])
    #expect(probabilities[2] == 0.25)
    #expect(abs(probabilities[0] + probabilities[1] - 1) < 1e-7)
  }

  @Test("steps that do not count are in no mean, on any number of passes", arguments: [1, 2, 5])
  func padded(capacity: Int) throws {
    let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil, ignored: -1)
    let spec = ModelSpec(
      input: [3, 2],
      layers: [LayerSpec(.masking(value: 0)), LayerSpec(.dense(DenseSpec(units: 2)))])
    let plan = ExecutionPlan(
      inference: try GraphBuilder.forward(spec, loss: loss, mode: .evaluation), capacity: capacity)
    let model = ModelMemory<Double>(plan)
    model.setParameter(0, fileOrder: [1, 0, 0, 1])
    let engine = ShardEngine(plan, model: model, usesClasses: true, seed: 1)
    let evaluator = Evaluator(engine: engine, loss: loss, collectives: SoloCollectives())
    // Two steps that count, one of two, none.
    let inputs: [[Double]] = [
      [log(3), log(1), log(1), log(4), 0, 0], [5, 1, log(7), log(1), 0, 0], [0, 0, 0, 0, 0, 0],
    ]
    let classes: [[Int32]] = [[0, 0, 1], [-1, 0, 0], [1, 1, 1]]
    let result = try evaluator.evaluate(samples: 3) { range in
      for (row, sample) in range.enumerated() {
        engine.input[row * 6..<row * 6 + 6].copy(from: inputs[sample])
        engine.classes[row * 3..<row * 3 + 3].copy(from: classes[sample])
      }
    }
    let expected = -(log(3.0 / 4) + log(1.0 / 5)) / 2 / 3 - log(7.0 / 8) / 3
    #expect(abs(result.loss - expected) < 1e-7, "\(result.loss)")
    #expect(abs((result.accuracy ?? 0) - 0.5) < 1e-7)
    #expect(result.samples == 3 && result.predictions == nil)
    #expect(result.title == "3 samples, loss 0.3607, accuracy 50.00%")
  }

  @Test("numbers have targets and answers, and no accuracy")
  func values() throws {
    let samples = Samples(inputs: [[1, 2], [0.5, -4]], targets: [[0, 2], [0.5, -1]])
    let result = try evaluate(samples, loss: .meanSquared)
    #expect(result.accuracy == nil)
    #expect(result.loss == (0.5 + 4.5) / 2)
    #expect(result.predictions == .values(targets: [0, 2, 0.5, -1], predictions: [1, 2, 0.5, -4]))
  }
}
