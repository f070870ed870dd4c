import Foundation
import Graph
import Kernels
import Metrics
import Storage

/// What one pass over a part of the data found; the same on every rank.
package struct Evaluation: Equatable, Sendable {
  package var samples: Int
  /// Mean over the samples.
  package var loss: Double
  /// Share of right answers, for losses with answers.
  package var accuracy: Double?
  /// The network's answers by sample in order, as the loss reads them; on rank 0 only.
  package var predictions: Predictions?
}

extension Evaluation {
  /// `400 samples, loss 0.0589`, and the accuracy where no predictions are there to be reported on.
  package var title: String {
    let loss = "\(groupedDigits(samples)) samples, loss \(measureText(loss))"
    guard predictions == nil, let accuracy else { return loss }
    return loss + ", accuracy \(MetricLabel.accuracy.text(accuracy))"
  }
}

/// One sample's worth of numbers that ranks send to rank 0.
///
/// Loss, share of right answers, then for class answers label, prediction and probability, else all
/// targets and all outputs. Of a sequence of answers the means only, over those that count.
struct SampleRecordLayout: Equatable {
  var loss: LossSpec
  /// Of each answer.
  var outputs: Int
  /// In a sample.
  var answers = 1
  /// Whether only loss and share of right answers are kept.
  var holdsMeans = false

  var answersAreClasses: Bool {
    if case .softmaxCrossEntropy = loss { true } else { false }
  }

  var answersAreProbabilities: Bool {
    if case .sigmoidCrossEntropy = loss { true } else { false }
  }

  var width: Int { holdsMeans ? 2 : answersAreClasses ? 5 : 2 + 2 * outputs }

  /// Appends the record of one sample.
  ///
  /// - Parameter weights: What each answer counts in the means; nil: all the same.
  func append<S: Scalar>(
    to records: inout [Float], losses: Block<S>, weights: Block<S>?, output: Block<S>,
    labels: Block<Int32>?, targets: Block<S>?
  ) {
    if holdsMeans {
      let (loss, right) = means(losses, weights) { answer in
        let columns = answer * outputs..<(answer + 1) * outputs
        return shareOfRight(
          output[columns], label: labels?[answer], targets: targets.map { $0[columns] })
      }
      records += [Float(loss), right]
      return
    }
    records.append(Float(losses[0]))
    let label = labels?[0]
    if answersAreClasses {
      let prediction = firstLargest(of: output)
      let truth = label.map(Int.init) ?? targets.map { firstLargest(of: $0) } ?? -1
      records.append(prediction == truth ? 1 : 0)
      records += [
        Float(truth), Float(prediction), softmaxProbability(of: prediction, in: output),
      ]
      return
    }
    let truths = (0..<outputs).map { Float(targets?[$0] ?? 0) }
    let answers = (0..<outputs).map { answer(output[$0]) }
    let right = zip(truths, answers).count { ($0 > 0.5) == ($1 > 0.5) }
    records.append(Float(right) / Float(outputs))
    records += truths + answers
  }

  /// Means of the losses and of what is right over the answers of a sample.
  private func means<S: Scalar>(
    _ losses: Block<S>, _ weights: Block<S>?, right: (_ answer: Int) -> Float
  ) -> (loss: Double, right: Float) {
    var means = (loss: 0.0, right: Float(0))
    for answer in 0..<answers {
      if let weights, weights[answer] == 0 { continue }
      let weight = weights.map { Double($0[answer]) } ?? 1
      means.loss += weight * Double(losses[answer])
      if loss.countsRightAnswers { means.right += Float(weight) * right(answer) }
    }
    guard weights == nil else { return means }
    return (means.loss / Double(answers), means.right / Float(answers))
  }

  /// How much of one answer is right.
  private func shareOfRight<S: Scalar>(
    _ output: Block<S>, label: Int32?, targets: Block<S>?
  ) -> Float {
    if answersAreClasses {
      let truth = label.map(Int.init) ?? targets.map { firstLargest(of: $0) } ?? -1
      return firstLargest(of: output) == truth ? 1 : 0
    }
    let right = (0..<outputs).count { ((targets?[$0] ?? 0) > 0.5) == (output[$0] > 0) }
    return Float(right) / Float(outputs)
  }

  private func answer<S: Scalar>(_ output: S) -> Float {
    let value = Double(output)
    return Float(answersAreProbabilities ? 1 / (1 + exp(-value)) : value)
  }

  /// Turns all samples' records, in order, into an evaluation.
  func evaluation(of records: [Float]) -> Evaluation {
    let rows = stride(from: 0, to: records.count, by: width)
    let count = Double(max(records.count / width, 1))
    var result = Evaluation(
      samples: records.count / width,
      loss: rows.reduce(0) { $0 + Double(records[$1]) } / count)
    if loss.countsRightAnswers {
      result.accuracy = rows.reduce(0) { $0 + Double(records[$1 + 1]) } / count
    }
    if !holdsMeans { result.predictions = predictions(in: records, rows: Array(rows)) }
    return result
  }

  private func predictions(in records: [Float], rows: [Int]) -> Predictions {
    if answersAreClasses {
      return .classes(
        labels: rows.map { Int(records[$0 + 2]) }, predictions: rows.map { Int(records[$0 + 3]) },
        probabilities: rows.map { records[$0 + 4] })
    }
    let targets = rows.flatMap { Array(records[$0 + 2..<$0 + 2 + outputs]) }
    let answers = rows.flatMap { Array(records[$0 + 2 + outputs..<$0 + width]) }
    return answersAreProbabilities
      ? .multiHot(labels: targets, probabilities: answers)
      : .values(targets: targets, predictions: answers)
  }
}

private func firstLargest<S: Scalar>(of row: Block<S>) -> Int {
  var best = 0
  for index in 0..<row.count where row[index] > row[best] { best = index }
  return best
}

private func softmaxProbability<S: Scalar>(of index: Int, in row: Block<S>) -> Float {
  let chosen = Double(row[index])
  let sum = (0..<row.count).reduce(0) { $0 + exp(Double(row[$1]) - chosen) }
  return Float(1 / sum)
}
