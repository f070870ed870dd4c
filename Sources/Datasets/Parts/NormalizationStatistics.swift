/// What turns a stored number into the model's input: `(x - mean) / deviation`, per channel of images
/// (element `e` has channel `e % channels`), per column of tables.
///
/// They belong to a trained model and are kept in its checkpoints.
package struct NormalizationStatistics: Codable, Equatable, Sendable {
  package var mean: [Double]
  package var deviation: [Double]
  /// Of the targets, which repeat these columns; empty: targets stay as they are.
  package var targetMean: [Double]
  package var targetDeviation: [Double]

  package init(
    mean: [Double], deviation: [Double], targetMean: [Double] = [], targetDeviation: [Double] = []
  ) {
    precondition(
      mean.count == deviation.count && targetMean.count == targetDeviation.count,
      "\(mean.count) and \(targetMean.count) means, \(deviation.count) and"
        + " \(targetDeviation.count) deviations")
    self.mean = mean
    self.deviation = deviation
    self.targetMean = targetMean
    self.targetDeviation = targetDeviation
  }

  /// Statistics of a series, whose inputs and targets are scaled alike.
  ///
  /// - Parameter moments: Mean and deviation of the training part's rows.
  init(_ normalization: Normalization, series moments: NormalizationStatistics) {
    self = moments
    if normalization == .standardize { return }
    let divisor = if case .divide(let divisor) = normalization { divisor } else { 1.0 }
    mean = mean.map { _ in 0 }
    deviation = deviation.map { _ in divisor }
    targetMean = targetMean.map { _ in 0 }
    targetDeviation = targetDeviation.map { _ in divisor }
  }

  /// `value * deviation + mean`: targets, or what a model says of them, in the units of the data.
  ///
  /// - Parameter values: `[N, T]`, T a multiple of the target columns.
  package func targetsInDataUnits(_ values: [Float]) -> [Float] {
    guard !targetMean.isEmpty else { return values }
    return values.enumerated().map { index, value in
      let column = index % targetMean.count
      return Float(Double(value) * targetDeviation[column] + targetMean[column])
    }
  }

  /// All its numbers, for files.
  var lists: [[Double]] { [mean, deviation, targetMean, targetDeviation] }

  /// Statistics of the training part. One-hot columns stay as they are; what is constant gets the
  /// deviation 1.
  ///
  /// - Complexity: One pass over the part for bytes, two for floats; sums in Double, in order.
  package init(_ normalization: Normalization, of part: DataPart) {
    let shape = part.dataset.shape
    let channels = shape.channelCount
    switch normalization {
    case .none:
      self.init(
        mean: [Double](repeating: 0, count: channels),
        deviation: [Double](repeating: 1, count: channels))
    case .divide(let divisor):
      self.init(
        mean: [Double](repeating: 0, count: channels),
        deviation: [Double](repeating: divisor, count: channels))
    case .standardize:
      switch part.dataset.element {
      case .uint8: self.init(histogram: ByteHistogram(of: part, channels: channels))
      case .float32: self.init(moments: FloatMoments(of: part, channels: channels))
      case .uint16, .int32, .int64: preconditionFailure("tokens have no mean")
      }
    }
    for column in shape.oneHotColumns {
      mean[column] = 0
      deviation[column] = 1
    }
  }

  private init(histogram: ByteHistogram) {
    var mean: [Double] = []
    var deviation: [Double] = []
    for channel in 0..<histogram.channels {
      let counts = histogram.counts[channel * 256..<channel * 256 + 256].enumerated()
      let total = Double(counts.reduce(0) { $0 + $1.element })
      let average = Double(counts.reduce(0) { $0 + $1.offset * $1.element }) / total
      let squares = counts.reduce(0.0) { sum, entry in
        let distance = Double(entry.offset) - average
        return sum + Double(entry.element) * distance * distance
      }
      mean.append(average)
      deviation.append(squares > 0 ? (squares / total).squareRoot() : 1)
    }
    self.init(mean: mean, deviation: deviation)
  }

  private init(moments: FloatMoments) {
    let deviation = moments.squares.indices.map { channel in
      moments.isConstant(channel) ? 1 : (moments.squares[channel] / moments.total).squareRoot()
    }
    self.init(mean: moments.mean, deviation: deviation)
  }
}
