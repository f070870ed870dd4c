import Foundation
import Testing

/// A forecast of a written table, from the YAML file to the predictions.
@Suite("Time series, trained", .serialized)
struct TimeSeriesTests {
  private static let rows = 1200

  /// Two waves and some noise around 500, and the hour that one of them follows.
  private static func load(_ hour: Int) -> Double {
    let x = Double(hour)
    let noise = Double(hour &* 2_654_435_761 % 1000) / 1000 - 0.5
    return 500 + 80 * sin(2 * .pi * x / 24) + 40 * sin(2 * .pi * x / 9.3) + 8 * noise
  }

  private func folder() throws -> Command {
    let command = try Command()
    let lines = (0..<Self.rows).map { "2026-01-\($0),\(Self.load($0)),\($0 % 24)" }
    try command.write(
      (["time,load,hour"] + lines).joined(separator: "\n") + "\n", to: "load.csv")
    try command.write(
      """
      name: load
      data:
        format: time_series
        train: load.csv
        target: load
        ignore: time
        window: 24
        dev: {fraction: 0.1}
        test: {fraction: 0.1}
        normalize: standardize
      model:
        input: [24, 2]
        layers:
          - lstm: {units: 16, return: last, forget_bias: 1}
          - dense: 1
      loss: mean_squared
      optimizer: {kind: adam, learning_rate: 0.01}
      training: {epochs: 8, batch: 48, shards: 4, clip_norm: 1}

      """, to: "load.yaml")
    return command
  }

  @Test(
    "an LSTM beats the last value, in the units of the table, with the same bits on any rank count")
  func beatsLastValue() throws {
    let command = try folder()
    defer { command.remove() }
    func train(_ ranks: Int?, _ folder: String) throws -> Data {
      let result = try command.run(
        ranks: ranks, ["load.yaml", "output.folder=\(folder)", "--progress", "none"])
      #expect(result.status == 0, "\(result.errors)")
      return try command.bytes("\(folder)/model.safetensors")
    }
    #expect(try train(nil, "alone") == train(3, "three"))
    let table = String(decoding: try command.bytes("alone/predictions.csv"), as: UTF8.self)
    let predictions = table.split(separator: "\n").dropFirst().map {
      $0.split(separator: ",").compactMap { Double($0) }
    }
    // The test part: the last 120 rows, of which the first 24 only serve as a window.
    let first = Self.rows - 120 + 24
    #expect(predictions.count == 120 - 24)
    var (model, lastValue) = (0.0, 0.0)
    for (index, row) in predictions.enumerated() {
      let truth = Self.load(first + index)
      #expect(abs(row[1] - truth) < 1e-3, "target \(index)")
      model += (row[2] - truth) * (row[2] - truth)
      let before = Self.load(first + index - 1)
      lastValue += (before - truth) * (before - truth)
    }
    #expect(model < 0.25 * lastValue, "squared errors: model \(model), last value \(lastValue)")
  }
}
