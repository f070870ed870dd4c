import Metrics
import Testing

@Suite("Predictions file")
struct PredictionsTests {
  @Test("classes have one row per sample")
  func classes() {
    let predictions = Predictions.classes(
      labels: [3, 0], predictions: [3, 1], probabilities: [0.1, 1e-7])
    #expect(
      predictions.csvText(names: ["a", "b", "c", "d"]) == """
        index,label,prediction,probability
        0,3,3,0.1
        1,0,1,1e-07

        """)
    #expect(predictions.reportLines(names: ["a", "b", "c", "d"])[0] == "accuracy 50.00% (1 of 2)")
  }

  @Test("every yes/no output has three columns, and odd names are quoted")
  func multiHot() {
    let predictions = Predictions.multiHot(
      labels: [1, 0, 0, 1], probabilities: [0.75, 0.5, 0.25, 0.625])
    #expect(
      predictions.csvText(names: ["red, dark", "\"big\""]) == #"""
        index,"label_red, dark","prediction_red, dark","probability_red, dark",\#
        "label_""big""","prediction_""big""","probability_""big"""
        0,1,1,0.75,0,0,0.5
        1,0,0,0.25,1,1,0.625

        """#)
    #expect(predictions.reportLines(names: ["a", "b"])[0] == "exact match 100.00% (2 of 2)")
  }

  @Test("a single yes/no output has the columns of a class")
  func singleOutput() {
    #expect(
      Predictions.multiHot(labels: [1], probabilities: [0.75]).csvText(names: ["spam"]) == """
        index,label,prediction,probability
        0,1,1,0.75

        """)
  }

  @Test("values have a pair of columns per output")
  func values() {
    let predictions = Predictions.values(targets: [1, 2], predictions: [0.5, -2.25])
    #expect(
      predictions.csvText(names: ["x", "y"]) == """
        index,target_x,prediction_x,target_y,prediction_y
        0,1.0,0.5,2.0,-2.25

        """)
    #expect(
      predictions.csvText(names: ["x"]) == """
        index,target,prediction
        0,1.0,0.5
        1,2.0,-2.25

        """)
    #expect(predictions.reportLines(names: ["x"])[0] == "2 samples")
  }
}
