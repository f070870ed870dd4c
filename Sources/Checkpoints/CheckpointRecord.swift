/// Everything of a checkpoint that is not a tensor.
package struct CheckpointRecord: Equatable, Sendable {
  /// Steps done since the start of the run.
  package var step: Int
  /// Epochs done.
  package var epoch: Int
  /// Samples of the current epoch already trained on.
  package var samplesIntoEpoch: Int
  package var seed: UInt64
  /// A hash of the model's structure; the caller decides of what.
  package var modelFingerprint = ""
  /// The best value of the watched metric so far.
  package var bestMetric: Double?
  /// Whether the weights in this very checkpoint are those of `bestMetric`.
  package var isBest = false
  /// Statistics of the training part, such as `mean` and `deviation`, one number per feature.
  package var normalization: [String: [Double]] = [:]
  /// Whole numbers that a resume needs, such as `early_stopping_wait`.
  package var counters: [String: Int] = [:]
  package var metrics: [String: Double] = [:]
  /// Every key path of the resolved config with its value, for `SettingChange`.
  package var settings: [String: String] = [:]
  /// The text of `config.resolved.yaml`.
  package var resolvedConfig = ""

  package init(step: Int, epoch: Int, samplesIntoEpoch: Int, seed: UInt64) {
    self.step = step
    self.epoch = epoch
    self.samplesIntoEpoch = samplesIntoEpoch
    self.seed = seed
  }
}
