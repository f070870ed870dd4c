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

/// One sample's worth of numbers that ranks send to rank 0.
///
/// The loss alone if it has no use for targets; else loss, share of right answers, then for class answers label, prediction and probability, else all
/// targets and all outputs. Of a sequence of answers the means only.
struct SampleRecordLayout: Equatable {
  var loss: LossSpec
  var comparesWithData = true
  /// Of each answer.
  var outputs: Int
  /// In a sample.
  var answers = 1

  var answersAreClasses: Bool {
    if case .softmaxCrossEntropy = loss { true } else { false }
  }

  var answersAreProbabilities: Bool {
    if case .sigmoidCrossEntropy = loss { true } else { false }
  }

  var width: Int {
    if !comparesWithData { return 1 }
    return answers > 1 ? 2 : answersAreClasses ? 5 : 2 + 2 * outputs
  }

  /// Appends the record of one sample.
  func append<S: Scalar>(
    to records: inout [Float], losses: Block<S>, output: Block<S>, labels: Block<Int32>?,
    targets: Block<S>?
  ) {
    if answers > 1 {
      appendMeans(to: &records, losses: losses, output: output, labels: labels, targets: targets)
      return
    }
    records.append(Float(losses[0]))
    if !comparesWithData { return }
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

  private func appendMeans<S: Scalar>(
    to records: inout [Float], losses: Block<S>, output: Block<S>, labels: Block<Int32>?,
    targets: Block<S>?
  ) {
    var (loss, right) = (0.0, 0)
    for answer in 0..<answers {
      let columns = answer * outputs..<(answer + 1) * outputs
      let truth =
        labels.map { Int($0[answer]) } ?? targets.map { firstLargest(of: $0[columns]) } ?? -1
      loss += Double(losses[answer])
      right += firstLargest(of: output[columns]) == truth ? 1 : 0
    }
    records += [Float(loss / Double(answers)), Float(right) / Float(answers)]
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
    if comparesWithData, loss.countsRightAnswers {
      result.accuracy = rows.reduce(0) { $0 + Double(records[$1 + 1]) } / count
    }
    if answers == 1, comparesWithData {
      result.predictions = predictions(in: records, rows: Array(rows))
    }
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
