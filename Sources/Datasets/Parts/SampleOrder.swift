/// The order in which an epoch visits the samples of a part, each once.
package protocol SampleOrder: Sendable {
  var count: Int { get }

  /// The sample, as a place of the part, that stands at `position` of the epoch.
  func sample(at position: Int) -> Int

  /// The length bucket whose plan a batch of the epoch is computed with.
  func lengthBucket(ofBatch batch: Int) -> Int
}

extension SampleOrder {
  /// Where samples are not told apart by length, there is one bucket.
  package func lengthBucket(ofBatch batch: Int) -> Int { 0 }
}
