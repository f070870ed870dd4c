/// Scores several yes/no outputs per sample; an output says yes when its probability is above 0.5.
///
/// Arrays are `[N, K]`, sample by sample: N samples, K outputs.
package struct MultiHotReport: Equatable, Sendable {
  package let outputNames: [String]
  /// One per output, the class being "yes".
  package let scores: [ClassScore]
  package let sampleCount: Int
  /// Samples with every output right.
  package let exactCount: Int
  /// Single outputs that are right, over all samples.
  package let hitCount: Int

  /// - Precondition: As many probabilities as labels, K per sample.
  package init(labels: [Float], probabilities: [Float], outputNames: [String]) {
    let width = outputNames.count
    precondition(
      labels.count == probabilities.count && width > 0 && labels.count.isMultiple(of: width),
      "\(labels.count) labels, \(probabilities.count) probabilities, \(width) outputs")
    var scores = Array(repeating: ClassScore(hits: 0, predicted: 0, support: 0), count: width)
    var rightInSample = Array(repeating: 0, count: labels.count / width)
    for index in labels.indices {
      let (truth, answer) = (saysYes(labels[index]), saysYes(probabilities[index]))
      scores[index % width].support += truth ? 1 : 0
      scores[index % width].predicted += answer ? 1 : 0
      scores[index % width].hits += truth && answer ? 1 : 0
      rightInSample[index / width] += truth == answer ? 1 : 0
    }
    self.outputNames = outputNames
    self.scores = scores
    sampleCount = rightInSample.count
    exactCount = rightInSample.count { $0 == width }
    hitCount = rightInSample.reduce(0, +)
  }

  package var exactMatch: Double { ratio(exactCount, sampleCount) }

  /// Right answers among all N·K.
  package var accuracy: Double { ratio(hitCount, sampleCount * outputNames.count) }

  package var macroAverage: AverageScore { AverageScore(scores) }

  package var lines: [String] {
    let counts = "\(groupedDigits(exactCount)) of \(groupedDigits(sampleCount))"
    return [
      "exact match \(percentText(exactMatch)) (\(counts))", "accuracy \(percentText(accuracy))", "",
    ]
      + scoreTable(heading: "output", names: outputNames, scores: scores, macroAverage)
  }
}

/// A probability (or a label, 0 or 1) as an answer.
func saysYes(_ probability: Float) -> Bool { probability > 0.5 }
