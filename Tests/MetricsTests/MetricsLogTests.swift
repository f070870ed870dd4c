import Diagnostics
import Foundation
import Metrics
import Testing

@Suite("Metrics log")
final class MetricsLogTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "metrics-log-\(UUID().uuidString)")
  private var path: String { folder.appendingPathComponent("metrics.jsonl").path }

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  @Test("a record is one line of JSON whose keys are in a fixed order")
  func exactText() throws {
    let log = try MetricsLog(path: path, resumingAt: nil)
    try log.append(
      StepRecord(
        step: 10, epoch: 0.125, loss: 0.5, metric: 0.75, learningRate: 0.001,
        samplesPerSecond: 12_000, gradientNorm: 2.5, stepTime: .milliseconds(250)))
    try log.append(
      EpochRecord(
        step: 80, epoch: 1, train: .init(loss: 0.4, metric: 0.8),
        dev: .init(loss: 0.5, metric: nil),
        duration: .seconds(20), isBest: true))
    #expect(
      try text() == """
        {"kind":"step","step":10,"epoch":0.125,"loss":0.5,"metric":0.75,"learning_rate":0.001,\
        "samples_per_second":12000.0,"gradient_norm":2.5,"step_seconds":0.25}
        {"kind":"epoch","step":80,"epoch":1,"train_loss":0.4,"train_metric":0.8,"dev_loss":0.5,\
        "epoch_seconds":20.0,"best":true}

        """)
  }

  @Test("the terms of a loss stand behind it, and come back")
  func lossTerms() throws {
    let step = StepRecord(
      step: 10, epoch: 0.5, loss: 0.75, lossTerms: [0.5, 0.25], metric: nil, learningRate: 0.5,
      samplesPerSecond: 100, stepTime: .seconds(1))
    #expect(step.jsonText.contains("\"loss\":0.75,\"loss_terms\":[0.5,0.25],\"learning_rate\""))
    let epoch = EpochRecord(
      step: 20, epoch: 1, train: .init(loss: 0.75, terms: [0.5, .nan], metric: 0.5), dev: nil,
      duration: .seconds(2), isBest: false)
    #expect(
      epoch.jsonText.contains(
        "\"train_loss\":0.75,\"train_loss_terms\":[0.5,null],\"train_metric\":0.5"))
    let read = try JSONDecoder().decode(EpochRecord.self, from: Data(epoch.jsonText.utf8))
    #expect(read.train.terms.count == 2 && read.train.terms[0] == 0.5)
    #expect(read.train.terms[1].isNaN)
  }

  @Test(
    "numbers that are not finite, tiny or huge still make valid JSON",
    arguments: [Double.nan, .infinity, -.infinity, .leastNonzeroMagnitude, 1.7e308, -0.0, 1e16])
  func validJSON(number: Double) throws {
    let line = step(1, loss: number).jsonText
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["loss"] as? Double == (number.isFinite ? number : nil))
    #expect(object["loss"] is NSNull == !number.isFinite)
    #expect(object["step"] as? Int == 1)
  }

  @Test("a resumed run reads like an uninterrupted one")
  func resume() throws {
    let whole = try MetricsLog(path: path, resumingAt: nil)
    for record in 1...6 { try whole.append(step(record * 10)) }
    try whole.append(epoch(60))
    let expected = try text()

    // Killed after step 40's checkpoint while writing a line.
    try write(try lines(upTo: 5) + "{\"kind\":\"step\",\"step\":60,\"lo")
    let resumed = try MetricsLog(path: path, resumingAt: 40)
    #expect(try text() == lines(of: expected, upTo: 4))
    for record in 5...6 { try resumed.append(step(record * 10)) }
    try resumed.append(epoch(60))
    #expect(try text() == expected)
  }

  @Test("a record that survived the cut is not written twice")
  func noTwins() throws {
    let log = try MetricsLog(path: path, resumingAt: nil)
    try log.append(step(10))
    try log.append(epoch(10))
    let before = try text()
    let resumed = try MetricsLog(path: path, resumingAt: 10)
    try resumed.append(step(10))
    try resumed.append(epoch(10))
    #expect(try text() == before)
  }

  @Test("epochs before the cut come back for the summary, those beyond it do not")
  func epochsReturn() throws {
    let first = EpochRecord(
      step: 10, epoch: 1, train: .init(loss: 0.1, metric: 0.5),
      dev: .init(loss: .nan, metric: 0.25),
      duration: .milliseconds(1500), isBest: true)
    let log = try MetricsLog(path: path, resumingAt: nil)
    try log.append(first)
    try log.append(epoch(20))
    try log.append(epoch(30))
    #expect(log.epochs.map(\.step) == [10, 20, 30])
    let resumed = try MetricsLog(path: path, resumingAt: 20)
    #expect(resumed.epochs.map(\.jsonText) == [first.jsonText, epoch(20).jsonText])
    #expect(resumed.epochs.first?.dev?.loss.isNaN == true)
    #expect(resumed.epochs.last == epoch(20))
  }

  @Test("a fresh run empties an old log, and a resumed run can do without one")
  func freshAndMissing() throws {
    try write("old\n")
    _ = try MetricsLog(path: path, resumingAt: nil)
    #expect(try text() == "")
    try FileManager.default.removeItem(atPath: path)
    try MetricsLog(path: path, resumingAt: 7).append(step(8))
    #expect(try text() == step(8).jsonText + "\n")
  }

  @Test("a folder that is missing is named with the system's reason")
  func missingFolder() throws {
    let path = folder.appendingPathComponent("none/metrics.jsonl").path
    let fault = try #require(throws: Diagnostic.self) {
      _ = try MetricsLog(path: path, resumingAt: nil)
    }
    #expect(
      fault.description == """
        \(path): cannot be written: No such file or directory
          to fix:   free space or choose another folder with output.folder=PATH
        """)
  }

  private func step(_ step: Int, loss: Double = 0.25) -> StepRecord {
    StepRecord(
      step: step, epoch: Double(step) / 60, loss: loss, metric: nil, learningRate: 1e-5,
      samplesPerSecond: 100, stepTime: .seconds(1))
  }

  private func epoch(_ step: Int) -> EpochRecord {
    EpochRecord(
      step: step, epoch: 1, train: .init(loss: 1, metric: nil), dev: nil, duration: .seconds(1),
      isBest: false)
  }

  private func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  private func write(_ text: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
  }

  private func lines(upTo count: Int) throws -> String { lines(of: try text(), upTo: count) }

  private func lines(of text: String, upTo count: Int) -> String {
    text.split(separator: "\n").prefix(count).map { $0 + "\n" }.joined()
  }

}
