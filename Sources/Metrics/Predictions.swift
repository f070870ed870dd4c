import Foundation

/// What the model said about each sample of a part, in the order of the samples; from it come the
/// report and `predictions.csv`.
package enum Predictions: Equatable, Sendable {
  /// One class number per sample and the probability of the predicted class.
  case classes(labels: [Int], predictions: [Int], probabilities: [Float])
  /// `[N, K]` labels (0 or 1) and probabilities of "yes".
  case multiHot(labels: [Float], probabilities: [Float])
  /// `[N, K]` real numbers.
  case values(targets: [Float], predictions: [Float])

  /// - Parameter names: Of the classes, or of the K outputs.
  package func reportLines(names: [String]) -> [String] {
    switch self {
    case .classes(let labels, let predictions, _):
      ClassificationReport(
        labels: labels, predictions: predictions, classCount: names.count, classNames: names
      ).lines
    case .multiHot(let labels, let probabilities):
      MultiHotReport(labels: labels, probabilities: probabilities, outputNames: names).lines
    case .values(let targets, let predictions):
      ValuesReport(targets: targets, predictions: predictions, outputNames: names).lines
    }
  }

  /// The content of `predictions.csv`: a heading, then a row per sample whose index counts from 0.
  ///
  /// Classes: `index,label,prediction,probability`. Several yes/no outputs have these three columns
  /// each, `label_NAME` and so on; real numbers have `target_NAME,prediction_NAME`. A single output
  /// has no name in its columns. Numbers have the shortest digits that read back as the same Float.
  package func csvText(names: [String]) -> String {
    switch self {
    case .classes(let labels, let predictions, let probabilities):
      precondition(labels.count == predictions.count && labels.count == probabilities.count)
      return table(["label", "prediction", "probability"], names: [""], count: labels.count) {
        ["\(labels[$0])", "\(predictions[$0])", "\(probabilities[$0])"]
      }
    case .multiHot(let labels, let probabilities):
      precondition(labels.count == probabilities.count)
      return table(["label", "prediction", "probability"], names: names, count: labels.count) {
        [answer(labels[$0]), answer(probabilities[$0]), "\(probabilities[$0])"]
      }
    case .values(let targets, let predictions):
      precondition(targets.count == predictions.count)
      return table(["target", "prediction"], names: names, count: targets.count) {
        ["\(targets[$0])", "\(predictions[$0])"]
      }
    }
  }

  /// `cells` gives the columns of element `sample * names.count + output`.
  private func table(
    _ titles: [String], names: [String], count: Int, cells: (Int) -> [String]
  ) -> String {
    precondition(count.isMultiple(of: names.count), "\(count) elements of \(names.count) outputs")
    let columns = names.flatMap { name in
      titles.map { names.count == 1 ? $0 : csvQuoted("\($0)_\(name)") }
    }
    var text = (["index"] + columns).joined(separator: ",") + "\n"
    for sample in 0..<count / names.count {
      text += "\(sample)"
      for output in names.indices {
        for cell in cells(sample * names.count + output) { text += "," + cell }
      }
      text += "\n"
    }
    return text
  }
}

private func answer(_ probability: Float) -> String { saysYes(probability) ? "1" : "0" }

/// RFC 4180: a field with a comma, a quote or a line end stands in quotes, its own quotes doubled.
private func csvQuoted(_ field: String) -> String {
  let isSpecial = field.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
  return isSpecial ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
}
