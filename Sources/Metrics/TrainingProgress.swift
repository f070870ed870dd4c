/// Where a run stands, as one line of text.
package struct TrainingProgress: Equatable, Sendable {
  /// Passes over the training set, with a fraction.
  package var epoch: Double
  package var epochCount: Int
  /// Steps finished.
  package var step: Int
  package var stepCount: Int
  package var loss: Double
  package var metric: Double?
  package var samplesPerSecond: Double

  package init(
    epoch: Double, epochCount: Int, step: Int, stepCount: Int, loss: Double, metric: Double?,
    samplesPerSecond: Double
  ) {
    self.epoch = epoch
    self.epochCount = epochCount
    self.step = step
    self.stepCount = stepCount
    self.loss = loss
    self.metric = metric
    self.samplesPerSecond = samplesPerSecond
  }

  /// A line for a log file:
  /// `epoch 1.50/3  step 120/318  loss 0.4321  accuracy 85.2%  12.3k samples/s  0:12 left`.
  package func line(_ label: MetricLabel, timeLeft: Duration?) -> String {
    var parts = [
      "epoch \(fixedPoint(epoch, digits: 2))/\(epochCount)", "step \(step)/\(stepCount)",
    ]
    parts += results(label) + ["\(shortCount(samplesPerSecond)) samples/s"]
    if let timeLeft { parts.append("\(clockText(timeLeft)) left") }
    return parts.joined(separator: "  ")
  }

  /// The same in at most `width` columns:
  /// `epoch 2/3 [====>     ] 120/318  loss 0.4321  accuracy 85.2%  12.3k/s  0:12 left`.
  ///
  /// The bar takes the room that is left, up to 30 columns; with too little room the bar goes first,
  /// then the speed, the metric and the time left.
  package func bar(_ label: MetricLabel, timeLeft: Duration?, width: Int) -> String {
    let head = "epoch \(epochInProgress)/\(epochCount) "
    let steps = "\(step)/\(stepCount)"
    let speed = ["\(shortCount(samplesPerSecond))/s"]
    let left = timeLeft.map { ["\(clockText($0)) left"] } ?? []
    let results = results(label)
    let choices = [
      results + speed + left, results + left, Array(results.prefix(1)) + left,
      Array(results.prefix(1)),
    ]
    let tails = choices.map { ([steps] + $0).joined(separator: "  ") }
    let tail = tails.first { head.count + $0.count <= width } ?? steps
    let cells = min(30, width - head.count - tail.count - 3)
    let text = head + (cells >= 5 ? "\(barText(cells: cells)) " : "") + tail
    return String(text.prefix(max(0, width)))
  }

  private var epochInProgress: Int {
    min(epochCount, max(1, Int(epoch.rounded(.up))))
  }

  private func results(_ label: MetricLabel) -> [String] {
    let metric = metric.map { ["\(label.name) \(label.text($0, digits: 1))"] } ?? []
    return ["loss \(measureText(loss))"] + metric
  }

  private func barText(cells: Int) -> String {
    let fraction = stepCount > 0 ? Double(step) / Double(stepCount) : 1
    let done = min(cells, Int(fraction * Double(cells)))
    let tip = done < cells ? ">" : ""
    let finished = String(repeating: "=", count: done)
    return "[\(padded(finished + tip, to: cells, .left))]"
  }
}

/// Time left at the pace since this process began training.
///
/// - Parameters:
///   - elapsed: Time for `done` steps, pauses for evaluation and saving included.
///   - remaining: Steps to go.
package func timeLeft(elapsed: Duration, done: Int, remaining: Int) -> Duration? {
  done > 0 ? elapsed * (Double(max(0, remaining)) / Double(done)) : nil
}
