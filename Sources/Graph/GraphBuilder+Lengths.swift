import Diagnostics

// Sequences of different length, padded to the same number of steps: from `masking` on, the lengths go along with the
// sequence as long as it keeps its steps.

extension GraphBuilder {
  mutating func lowerMasking(_ value: Double, _ site: LayerSite, _ flow: Flow) throws -> Flow {
    guard (1...2).contains(flow.shape.count) else {
      throw site.fault(
        "got an input of shape \(flow.shape)",
        expected: "tokens, [steps], or a sequence [steps, channels]",
        remedy: "put it where the steps are, as a rule first in the model")
    }
    let kind = OperationKind.sequenceLengths(
      steps: flow.shape[0], channels: flow.elementCount / flow.shape[0], value: value)
    var masked = flow
    masked.lengths = append(kind, [flow.value], [1], site).value
    return masked
  }

  /// The lengths of what a layer has made of a sequence.
  ///
  /// - Throws: When steps have been moved, so that nobody knows which of them are padding.
  func lengths(
    after site: LayerSite, from flow: Flow, to result: Flow
  ) throws -> ValueID? {
    switch site.spec.kind {
    case .masking, .classToken, .join, .shared: return result.lengths
    case .lastStep, .firstStep, .globalAveragePool: return nil
    case .recurrent(let spec) where spec.outputs == .last: return nil
    default: break
    }
    guard let lengths = flow.lengths else { return nil }
    guard result.shape.first == flow.shape.first, result.shape.count <= 2 else {
      throw site.fault(
        "turns padded sequences of shape \(flow.shape) into \(result.shape)",
        expected: "as many steps as before, since masking has found where sequences end",
        remedy: "use stride 1 and padding: same, or remove masking")
    }
    return lengths
  }
}

// Sequences of which only the beginning is computed, since all behind it is padding. Whatever knows the lengths gives the
// same; what does not must not see how many steps there are.

extension GraphBuilder {
  /// Refuses layers that see the steps of cut sequences, but not where they end.
  func checkCut(_ site: LayerSite, _ flow: Flow) throws {
    guard cutSteps > 0, !site.spec.kind.isContainer else { return }
    let isInput = flow.value == graph.input && flow.lengths == nil
    switch site.spec.kind {
    case .masking where isInput: return
    case .masking:
      throw site.fault(
        "looks for padding behind other layers, where data.buckets does not know it",
        expected: "masking of the model's input with data.buckets",
        remedy: "make it the first layer, or remove data.buckets")
    default:
      if isInput { throw site.readsPadding }
    }
  }

  /// As many rows as there are positions at the full padded length.
  func positionRows(_ flow: Flow) -> Int {
    flow.shape[0] + (flow.lengths == nil ? 0 : cutSteps)
  }
}

extension LayerSite {
  /// What data.buckets refuses where lengths are not known.
  var readsPadding: Diagnostic {
    fault(
      "reads the model's input without masking, padding included, of which data.buckets cuts some off",
      expected: "masking before every layer that reads the input, with data.buckets",
      remedy: "put masking before it, or remove data.buckets")
  }

  /// Refuses layers in which padding would take part.
  func checkPadding(_ flow: GraphBuilder.Flow) throws {
    guard flow.lengths != nil else { return }
    switch spec.kind {
    case .batchNorm, .groupNorm, .instanceNorm:
      throw fault(
        "takes means over the steps of padded sequences",
        expected: "a norm of each step alone behind masking",
        remedy: "use layer_norm or rms_norm")
    case .flatten:
      throw fault(
        "makes one row of padded sequences of shape \(flow.shape)",
        expected: "what knows where sequences end",
        remedy: "use last_step or global_average_pool, or remove masking")
    case .dense, .tiedDense, .softmax:
      guard flow.shape.count == 1 else { return }
      throw fault(
        "reads the \(flow.shape[0]) steps of padded sequences as channels",
        expected: "a sequence [steps, channels] behind masking",
        remedy: "put embedding or reshape: [\(flow.shape[0]), 1] before it, or remove masking")
    default: return
    }
  }

  /// The lengths of the sequence that several paths become.
  func commonLengths(of ends: [GraphBuilder.Flow]) throws -> ValueID? {
    guard ends.contains(where: { $0.lengths != ends[0].lengths }) else { return ends[0].lengths }
    throw fault(
      "joins sequences that are padded differently",
      expected: "paths that know the same lengths", remedy: "put masking before the paths")
  }
}
