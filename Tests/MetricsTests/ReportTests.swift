import Metrics
import Testing

// Worked by hand and equal to scikit-learn 1.x: classification_report(y, p, zero_division=0, digits=4),
// confusion_matrix(y, p), accuracy_score on multi-hot arrays (exact match), mean_squared_error,
// mean_absolute_error, r2_score.

@Suite("Reports")
struct ReportTests {
  // Class 0: TP 2, FP 1, FN 1. Class 1: TP 1, FP 1, FN 1. Class 2: TP 0, FP 1, FN 1. Class 3: never.
  private let report = ClassificationReport(
    labels: [0, 0, 0, 1, 1, 2], predictions: [0, 0, 1, 1, 2, 0], classCount: 4,
    classNames: ["cat", "dog", "ox", "yak"])

  @Test("classes are scored by precision, recall and F1")
  func classScores() {
    #expect(report.confusion == [[2, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    #expect(report.scores.map(\.precision) == [2.0 / 3, 1.0 / 2, 0, 0])
    #expect(report.scores.map(\.recall) == [2.0 / 3, 1.0 / 2, 0, 0])
    #expect(report.scores.map(\.f1) == [2.0 / 3, 1.0 / 2, 0, 0])
    #expect(report.scores.map(\.support) == [3, 2, 1, 0])
    #expect(report.accuracy == 0.5)
  }

  @Test("the macro average leaves out a class that occurs nowhere")
  func macroAverage() {
    #expect(abs(report.macroAverage.precision - 7.0 / 18) < 1e-15)
    #expect(abs(report.macroAverage.f1 - 7.0 / 18) < 1e-15)
    #expect(report.macroAverage.support == 6)
  }

  @Test("precision and recall are not mistaken for each other")
  func asymmetric() {
    let report = ClassificationReport(
      labels: [0, 0, 0, 0, 1], predictions: [0, 1, 1, 1, 1], classCount: 2)
    #expect(report.scores.map(\.precision) == [1, 0.25])
    #expect(report.scores.map(\.recall) == [0.25, 1])
    #expect(report.scores.map(\.f1) == [0.4, 0.4])
  }

  @Test("the class report is a table and a matrix")
  func classText() {
    #expect(
      report.lines == [
        "accuracy 50.00% (3 of 6)",
        "",
        "class          precision  recall      F1  support",
        "cat               0.6667  0.6667  0.6667        3",
        "dog               0.5000  0.5000  0.5000        2",
        "ox                0.0000  0.0000  0.0000        1",
        "yak               0.0000  0.0000  0.0000        0",
        "macro average     0.3889  0.3889  0.3889        6",
        "",
        "confusion matrix (rows: labels, columns: predictions)",
        "        0  1  2  3",
        "0  cat  2  1  0  0",
        "1  dog  0  1  1  0",
        "2  ox   1  0  0  0",
        "3  yak  0  0  0  0",
      ])
  }

  @Test("classes without names appear as numbers; beyond 20 the worst confusions are listed")
  func manyClasses() {
    let report = ClassificationReport(
      labels: [0, 7, 7, 24, 3], predictions: [0, 8, 8, 1, 3], classCount: 25)
    #expect(
      report.lines.suffix(3) == ["most frequent confusions", "2  7   as 8", "1  24  as 1"])
  }

  @Test("an empty part scores 0 and divides by nothing")
  func empty() {
    let report = ClassificationReport(labels: [], predictions: [], classCount: 2)
    #expect(report.accuracy == 0)
    #expect(report.macroAverage.f1 == 0)
    #expect(report.lines[0] == "accuracy 0.00% (0 of 0)")
  }

  @Test("yes/no outputs are scored one by one, and a sample counts when all are right")
  func multiHot() {
    // Output a: truth 1 0 1, answers 1 1 0. Output b: truth 0 1 1, answers 0 1 1. 0.5 is no yes.
    let report = MultiHotReport(
      labels: [1, 0, 0, 1, 1, 1], probabilities: [0.9, 0.2, 0.6, 0.7, 0.5, 0.8],
      outputNames: ["a", "b"])
    #expect(report.exactMatch == 1.0 / 3)
    #expect(report.accuracy == 4.0 / 6)
    #expect(
      report.lines == [
        "exact match 33.33% (1 of 3)",
        "accuracy 66.67%",
        "",
        "output         precision  recall      F1  support",
        "a                 0.5000  0.5000  0.5000        2",
        "b                 1.0000  1.0000  1.0000        2",
        "macro average     0.7500  0.7500  0.7500        4",
      ])
  }

  @Test("values are scored by squared and absolute error and R^2")
  func values() {
    // The example of scikit-learn's r2_score: 0.948608..., and a constant target beside it.
    let report = ValuesReport(
      targets: [3, 1, -0.5, 1, 2, 1, 7, 1], predictions: [2.5, 1, 0, 1, 2, 2, 8, 1],
      outputNames: ["height", "width"])
    #expect(abs(report.scores[0].rSquared - 0.9486081370449679) < 1e-12)
    #expect(report.scores[1].rSquared == 0)
    #expect(
      report.lines == [
        "4 samples",
        "",
        "output      MSE     MAE     R^2",
        "height   0.3750  0.5000  0.9486",
        "width    0.2500  0.2500  0.0000",
        "average  0.3125  0.3750  0.4743",
      ])
  }

  @Test("a constant target that is met exactly has R^2 = 1")
  func constantTarget() {
    let report = ValuesReport(targets: [2, 2], predictions: [2, 2], outputNames: ["y"])
    #expect(
      report.lines == [
        "2 samples", "", "output     MSE     MAE     R^2", "y       0.0000  0.0000  1.0000",
      ])
  }
}
