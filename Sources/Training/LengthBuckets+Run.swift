import Datasets
import Diagnostics
import Graph
import Kernels
import Storage

// Sequences of different length, of which a batch holds those of about the same: `data.buckets`.

extension RunSpec {
  /// The network with its loss for each length bucket but the longest, before the gradients.
  ///
  /// - Parameter full: The same at the full padded length.
  /// - Throws: A `Diagnostic` that names the layer that is made for one number of steps, or sees padding.
  func shorterGraphs(than full: ModelGraph) throws -> [ModelGraph] {
    if !data.lengthBuckets.isEmpty, full.paddingValues.count > 1 {
      throw Diagnostic(
        place: "data.buckets",
        problem: "layers look for padding of \(full.paddingValues.count) different numbers",
        expected: "one number that stands for padding",
        remedy: "give every masking the same value, or remove data.buckets")
    }
    return try data.lengthBuckets.dropLast().map { steps in
      var shorter = self
      shorter.model = model.cut(to: steps)
      do {
        return try shorter.forwardGraph(.training)
      } catch let fault as Diagnostic {
        throw fault.inBucket(of: steps)
      }
    }
  }
}

extension Diagnostic {
  /// The fault of a network that fits the padded length, where it does not fit fewer steps.
  fileprivate func inBucket(of steps: Int) -> Diagnostic {
    if remedy?.contains("data.buckets") == true { return self }
    return Diagnostic(
      place: place, problem: "\(problem), with the \(steps) steps of a bucket",
      expected: "a layer that takes any number of steps, with data.buckets",
      remedy: "change this layer, or remove data.buckets")
  }
}

extension ModelGraph {
  /// The numbers that stand for padding where masking reads the input.
  var paddingValues: Set<Double> {
    Set(
      operations.compactMap { operation in
        guard case .sequenceLengths(_, _, let value) = operation.kind,
          operation.inputs == [input]
        else { return nil }
        return value
      })
  }
}

extension RunMaterial {
  /// Which training samples are about as long as each other, as masking measures them; nil without `data.buckets`.
  package func lengthBuckets(_ spec: RunSpec) -> LengthBuckets? {
    guard !plans.shorter.isEmpty, let value = plans.graph.paddingValues.first else { return nil }
    let steps = spec.model.input[0]
    let loader = data.trainLoader(of: Float.self)
    let sample = AlignedMemory<Float>(count: loader.elementCount)
    let length = AlignedMemory<Float>(count: 1)
    return LengthBuckets(
      ends: spec.data.lengthBuckets,
      lengths: (0..<loader.part.count).map { position in
        loader.loadInputs(position..<position + 1, order: nil, into: sample.block)
        sequenceLengths(
          of: sample.block, sequences: 1, steps: steps, channels: loader.elementCount / steps,
          value: Float(value), into: length.block)
        return Int(length.block[0])
      })
  }
}

extension BatchLoader {
  /// Loads as much of every sample as a network for shorter sequences reads.
  func first(of graph: ModelGraph, usesClasses: Bool) -> BatchLoader {
    let targets = usesClasses ? graph.answers : graph.target.map { graph[$0].elementCount }
    return first(
      elements: graph[graph.input].elementCount, targets: targets ?? targetCount)
  }
}
