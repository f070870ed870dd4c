/// One pass over the training set and what the dev set said afterwards.
package struct EpochRecord: Equatable, MetricsRecord {
  package static let kind = "epoch"

  /// A mean loss and the metric of one part of the data.
  package struct Score: Equatable, Sendable {
    package var loss: Double
    /// What the loss is the sum of: that of the model's end, then the auxiliary ones; empty where there is one loss.
    package var terms: [Double]
    package var metric: Double?

    package init(loss: Double, terms: [Double] = [], metric: Double?) {
      self.loss = loss
      self.terms = terms
      self.metric = metric
    }
  }

  package var step: Int
  /// Epochs finished; counts from 1.
  package var epoch: Int
  package var train: Score
  /// Nil when this epoch was not evaluated or there is no dev set.
  package var dev: Score?
  package var duration: Duration
  /// The best dev result so far.
  package var isBest: Bool

  package init(
    step: Int, epoch: Int, train: Score, dev: Score?, duration: Duration, isBest: Bool
  ) {
    self.step = step
    self.epoch = epoch
    self.train = train
    self.dev = dev
    self.duration = duration
    self.isBest = isBest
  }

  package var jsonText: String {
    var line = JSONLine()
    line.append("kind", Self.kind)
    line.append("step", step)
    line.append("epoch", epoch)
    line.append("train_loss", train.loss)
    if !train.terms.isEmpty { line.append("train_loss_terms", train.terms) }
    line.append("train_metric", train.metric)
    line.append("dev_loss", dev?.loss)
    line.append("dev_metric", dev?.metric)
    line.append("epoch_seconds", duration.seconds)
    line.append("best", isBest)
    return line.text
  }
}

extension EpochRecord: Decodable {
  private enum Key: String, CodingKey {
    case step, epoch, best
    case trainLoss = "train_loss"
    case trainTerms = "train_loss_terms"
    case trainMetric = "train_metric"
    case devLoss = "dev_loss"
    case devMetric = "dev_metric"
    case duration = "epoch_seconds"
  }

  /// Reads what `jsonText` wrote; a number that was not finite comes back as NaN.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: Key.self)
    func number(_ key: Key) throws -> Double? {
      guard members.contains(key) else { return nil }
      return try members.decodeNil(forKey: key) ? .nan : members.decode(Double.self, forKey: key)
    }
    func score(_ loss: Key, _ metric: Key) throws -> Score? {
      try number(loss).map { Score(loss: $0, metric: try number(metric)) }
    }
    step = try members.decode(Int.self, forKey: .step)
    epoch = try members.decode(Int.self, forKey: .epoch)
    train = try score(.trainLoss, .trainMetric) ?? Score(loss: .nan, metric: nil)
    train.terms =
      try members.decodeIfPresent([Double?].self, forKey: .trainTerms)?.map { $0 ?? .nan } ?? []
    dev = try score(.devLoss, .devMetric)
    duration = .seconds(try members.decode(Double.self, forKey: .duration))
    isBest = try members.decode(Bool.self, forKey: .best)
  }
}
