import Checkpoints
import Datasets
import Graph
import Metrics
import Storage

/// What is left in the run folder at the end.
package struct RunResults {
  private let folder: String
  private let replica: Replica

  package init(folder: String, replica: Replica) {
    self.folder = folder
    self.replica = replica
  }

  /// Writes the weights in use for users; the same weights give the same bytes.
  ///
  /// - Returns: The file's SHA-256 in hexadecimal digits.
  package func writeModel() throws -> String {
    let tensors = replica.model.tensors(parameters: replica.usedParameters)
    return try SafetensorsLayout(tensors).write(replacing: "\(folder)/model.safetensors")
  }

  /// Writes `predictions.csv`.
  package func write(_ predictions: Predictions, names: [String]) throws {
    try writeFile(predictions.csvText(names: names), to: "\(folder)/predictions.csv")
  }

  package func write(_ summary: RunSummary) throws {
    try writeFile(summary.text, to: "\(folder)/summary.txt")
  }
}

extension TargetLayout {
  /// Names of the classes or outputs for reports.
  package var reportNames: [String] {
    switch self {
    case .classes(let count, let names), .classSequence(let count, _, let names):
      names ?? (0..<count).map(String.init)
    case .numbers(let width, let names, _): names ?? (0..<width).map(String.init)
    }
  }
}

extension RunSpec {
  /// What a run reports beside the loss.
  package var metricLabel: MetricLabel {
    countsRightAnswers ? .accuracy : MetricLabel(name: "metric", isFraction: false)
  }
}
