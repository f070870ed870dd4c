/// Counts right and wrong answers per class.
///
/// With TP, FP, FN the true positives, false positives and false negatives of a class:
/// precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN).
/// A division by zero gives 0, and macro averages are taken over the classes that occur as label or as
/// prediction, both as scikit-learn's `classification_report` does.
package struct ClassificationReport: Equatable, Sendable {
  package let classNames: [String]
  /// `confusion[label][prediction]`: samples of class `label` that were taken for `prediction`.
  package let confusion: [[Int]]

  /// - Precondition: As many predictions as labels; both are class numbers below `classCount`.
  package init(
    labels: [Int], predictions: [Int], classCount: Int, classNames: [String]? = nil
  ) {
    precondition(
      labels.count == predictions.count, "\(labels.count) labels, \(predictions.count) predictions")
    var confusion = Array(repeating: Array(repeating: 0, count: classCount), count: classCount)
    for (label, prediction) in zip(labels, predictions) { confusion[label][prediction] += 1 }
    self.confusion = confusion
    self.classNames = classNames ?? (0..<classCount).map { "\($0)" }
    precondition(self.classNames.count == classCount, "\(classCount) classes, \(self.classNames)")
  }

  /// One per class.
  package var scores: [ClassScore] {
    confusion.indices.map { index in
      ClassScore(
        hits: confusion[index][index], predicted: confusion.reduce(0) { $0 + $1[index] },
        support: confusion[index].reduce(0, +))
    }
  }

  package var sampleCount: Int { confusion.joined().reduce(0, +) }

  package var hitCount: Int { confusion.indices.reduce(0) { $0 + confusion[$1][$1] } }

  package var accuracy: Double { ratio(hitCount, sampleCount) }

  /// The mean of the classes that occur.
  package var macroAverage: AverageScore {
    AverageScore(scores.filter { $0.support > 0 || $0.predicted > 0 })
  }
}

/// One class, or one yes/no output: how often it was found, and how often rightly.
package struct ClassScore: Equatable, Sendable {
  /// True positives.
  package var hits: Int
  /// Samples predicted to be of the class.
  package var predicted: Int
  /// Samples that are of the class.
  package var support: Int

  package init(hits: Int, predicted: Int, support: Int) {
    self.hits = hits
    self.predicted = predicted
    self.support = support
  }

  package var precision: Double { ratio(hits, predicted) }
  package var recall: Double { ratio(hits, support) }
  package var f1: Double { ratio(2 * hits, predicted + support) }
}

/// Unweighted means over classes.
package struct AverageScore: Equatable, Sendable {
  package let precision: Double
  package let recall: Double
  package let f1: Double
  package let support: Int

  init(_ scores: [ClassScore]) {
    let count = Double(max(1, scores.count))
    precision = scores.reduce(0) { $0 + $1.precision } / count
    recall = scores.reduce(0) { $0 + $1.recall } / count
    f1 = scores.reduce(0) { $0 + $1.f1 } / count
    support = scores.reduce(0) { $0 + $1.support }
  }
}

/// `part / whole`, 0 when the whole is 0.
func ratio(_ part: Int, _ whole: Int) -> Double {
  whole == 0 ? 0 : Double(part) / Double(whole)
}
