/// The samples to train on, or those of the dev or test part.
package struct DataPart: Sendable {
  package let dataset: Dataset
  /// The samples of the file that belong to the part, ascending; nil: all.
  let samples: [UInt32]?

  init(_ dataset: Dataset, samples: [UInt32]? = nil) {
    self.dataset = dataset
    self.samples = samples
  }

  package var count: Int { samples?.count ?? dataset.count }

  /// The sample of the file at a place of the part.
  package func sample(at position: Int) -> Int {
    precondition((0..<count).contains(position), "position \(position) of \(count)")
    return samples.map { Int($0[position]) } ?? position
  }

  package func label(at position: Int) -> Int32 { dataset.label(of: sample(at: position)) }

  package func values(at position: Int) -> [Float] { dataset.values(of: sample(at: position)) }
}
