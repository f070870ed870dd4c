/// Averages over the steps since the record before.
package struct StepRecord: Equatable, MetricsRecord {
  package static let kind = "step"

  /// Steps finished.
  package var step: Int
  /// Passes over the training set, with a fraction.
  package var epoch: Double
  package var loss: Double
  /// What the loss is the sum of: that of the model's end, then the auxiliary ones; empty where there is one loss.
  package var lossTerms: [Double]
  package var metric: Double?
  package var learningRate: Double
  package var samplesPerSecond: Double
  /// L2 norm of the whole gradient before clipping.
  package var gradientNorm: Double?
  package var stepTime: Duration

  package init(
    step: Int, epoch: Double, loss: Double, lossTerms: [Double] = [], metric: Double?,
    learningRate: Double,
    samplesPerSecond: Double, gradientNorm: Double? = nil, stepTime: Duration
  ) {
    self.step = step
    self.epoch = epoch
    self.loss = loss
    self.lossTerms = lossTerms
    self.metric = metric
    self.learningRate = learningRate
    self.samplesPerSecond = samplesPerSecond
    self.gradientNorm = gradientNorm
    self.stepTime = stepTime
  }

  package var jsonText: String {
    var line = JSONLine()
    line.append("kind", Self.kind)
    line.append("step", step)
    line.append("epoch", epoch)
    line.append("loss", loss)
    if !lossTerms.isEmpty { line.append("loss_terms", lossTerms) }
    line.append("metric", metric)
    line.append("learning_rate", learningRate)
    line.append("samples_per_second", samplesPerSecond)
    line.append("gradient_norm", gradientNorm)
    line.append("step_seconds", stepTime.seconds)
    return line.text
  }
}
