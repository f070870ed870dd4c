/// Scores predicted real numbers.
///
/// With e = prediction - target over N samples: MSE = mean(e^2), MAE = mean(|e|),
/// R^2 = 1 - sum(e^2) / sum((target - mean target)^2). A constant target has R^2 = 1 when it is met
/// exactly and 0 otherwise, as in scikit-learn's `r2_score`.
///
/// Arrays are `[N, K]`, sample by sample: N samples, K outputs.
package struct ValuesReport: Equatable, Sendable {
  package struct Score: Equatable, Sendable {
    package var meanSquaredError: Double
    package var meanAbsoluteError: Double
    package var rSquared: Double
  }

  package let outputNames: [String]
  package let sampleCount: Int
  /// One per output.
  package let scores: [Score]

  /// - Precondition: As many predictions as targets, K per sample.
  package init(targets: [Float], predictions: [Float], outputNames: [String]) {
    let width = outputNames.count
    precondition(
      targets.count == predictions.count && width > 0 && targets.count.isMultiple(of: width),
      "\(targets.count) targets, \(predictions.count) predictions, \(width) outputs")
    self.outputNames = outputNames
    sampleCount = targets.count / width
    scores = (0..<width).map { output in
      let rows = stride(from: output, to: targets.count, by: width)
      return score(rows.map { Double(targets[$0]) }, rows.map { Double(predictions[$0]) })
    }
  }

  /// The plain mean over outputs.
  package var average: Score {
    let count = Double(scores.count)
    return Score(
      meanSquaredError: scores.reduce(0) { $0 + $1.meanSquaredError } / count,
      meanAbsoluteError: scores.reduce(0) { $0 + $1.meanAbsoluteError } / count,
      rSquared: scores.reduce(0) { $0 + $1.rSquared } / count)
  }

  package var lines: [String] {
    var table = TextTable([.left, .right, .right, .right])
    table.append(["output", "MSE", "MAE", "R^2"])
    for (name, score) in zip(outputNames, scores) { table.append([name] + cells(score)) }
    if outputNames.count > 1 { table.append(["average"] + cells(average)) }
    return ["\(groupedDigits(sampleCount)) samples", ""] + table.lines
  }

  private func cells(_ score: Score) -> [String] {
    [score.meanSquaredError, score.meanAbsoluteError].map(measureText)
      + [fixedPoint(score.rSquared, digits: 4)]
  }
}

private func score(_ targets: [Double], _ predictions: [Double]) -> ValuesReport.Score {
  let count = Double(max(1, targets.count))
  let errors = zip(targets, predictions).map { $1 - $0 }
  let squares = errors.reduce(0) { $0 + $1 * $1 }
  let mean = targets.reduce(0, +) / count
  let variation = targets.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  let rSquared = variation > 0 ? 1 - squares / variation : squares == 0 ? 1 : 0
  return ValuesReport.Score(
    meanSquaredError: squares / count,
    meanAbsoluteError: errors.reduce(0) { $0 + $1.magnitude } / count, rSquared: rSquared)
}
