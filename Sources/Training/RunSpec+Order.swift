import DataParallel
import Datasets
import Engine
import Graph

// B rows of a batch in V micro-shards, n samples.

extension RunSpec {
  /// Whether layers go on in each window where they ended the one before.
  package var carriesState: Bool { !model.carryingLayers.isEmpty }

  /// The order of the training samples in an epoch.
  ///
  /// - Parameters:
  ///   - lengths: nil: batches hold samples of any length.
  func trainingOrder(samples: Int, lengths: LengthBuckets?, epoch: Int) -> any SampleOrder {
    if let lengths {
      return BucketedOrder(lengths, batch: training.batch, seed: seed, epoch: epoch)
    }
    guard carriesState else { return EpochOrder(count: samples, seed: seed, epoch: epoch) }
    let (rows, shards) = (training.batch, training.shards)
    let last = samples % rows
    let bounds = (0..<shards).map {
      ShardRange.samples(ofShard: $0, of: shards, samples: last).lowerBound
    }
    return ContinuedOrder(count: samples, rows: rows, lastBounds: bounds + [last])
  }

  /// The order in which a part is judged; nil: as the samples lie.
  ///
  /// As many rows as a batch has walk along the part, but fewer where the part is short, so that each has at least 16 windows
  /// to go: it starts from zeros, and what it finds there tells little. The ranks share the rows, V at least.
  func evaluationOrder(samples: Int) -> ContinuedOrder? {
    guard carriesState else { return nil }
    let rows = min(training.batch, max(training.shards, samples / 16))
    return ContinuedOrder(count: samples, rows: rows, lastBounds: [0, samples % rows])
  }
}
