extension ClassificationReport {
  /// Up to this many classes the whole confusion matrix is shown, beyond it the worst confusions.
  package static let largestMatrix = 20

  /// Accuracy, a row per class, the confusion matrix.
  package var lines: [String] {
    let counts = "\(groupedDigits(hitCount)) of \(groupedDigits(sampleCount))"
    let table = scoreTable(heading: "class", names: classNames, scores: scores, macroAverage)
    return ["accuracy \(percentText(accuracy)) (\(counts))", ""] + table + [""] + confusionLines
  }

  private var confusionLines: [String] {
    classNames.count <= Self.largestMatrix ? matrixLines : worstLines
  }

  private var matrixLines: [String] {
    let columns = classNames.indices
    var table = TextTable([.right, .left] + columns.map { _ in .right })
    table.append(["", ""] + columns.map { "\($0)" })
    for (label, row) in confusion.enumerated() {
      let name = classNames[label] == "\(label)" ? "" : classNames[label]
      table.append(["\(label)", name] + row.map { "\($0)" })
    }
    return ["confusion matrix (rows: labels, columns: predictions)"] + table.lines
  }

  private var worstLines: [String] {
    var table = TextTable([.right, .left, .left])
    for pair in worstConfusions.prefix(10) {
      table.append(["\(pair.count)", classNames[pair.label], "as \(classNames[pair.prediction])"])
    }
    return ["most frequent confusions"] + table.lines
  }

  /// Wrong pairs, the most frequent first.
  private var worstConfusions: [(count: Int, label: Int, prediction: Int)] {
    var pairs: [(count: Int, label: Int, prediction: Int)] = []
    for (label, row) in confusion.enumerated() {
      for (prediction, count) in row.enumerated() where prediction != label && count > 0 {
        pairs.append((count, label, prediction))
      }
    }
    return pairs.sorted {
      ($1.count, $0.label, $0.prediction) < ($0.count, $1.label, $1.prediction)
    }
  }
}

/// Precision, recall, F1 and support under each other, with their means at the end.
func scoreTable(
  heading: String, names: [String], scores: [ClassScore], _ average: AverageScore
) -> [String] {
  var table = TextTable([.left, .right, .right, .right, .right])
  table.append([heading, "precision", "recall", "F1", "support"])
  for (name, score) in zip(names, scores) {
    table.append([name] + cells(score.precision, score.recall, score.f1, score.support))
  }
  table.append(
    ["macro average"] + cells(average.precision, average.recall, average.f1, average.support))
  return table.lines
}

private func cells(_ precision: Double, _ recall: Double, _ f1: Double, _ support: Int) -> [String]
{
  [precision, recall, f1].map { fixedPoint($0, digits: 4) } + ["\(support)"]
}
