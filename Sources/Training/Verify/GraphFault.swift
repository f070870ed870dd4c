import Graph

/// A fault in the backward half of a graph (or, where said, in both halves).
enum GraphFault: Sendable {
  case denseWeightTransposed
  case convolutionWeightPaddingShifted
  case convolutionInputPaddingShifted
  case activationGradientMissing
  case activationGradientOfAnother
  case branchCountedTwice
  case branchLost
  case lossGradientDoubled
  case recurrentGradientTruncated
  case recurrentGradientReversed
  case attentionGradientUnmasked
  /// Forward and backward.
  case attentionUnmasked
  case memoryGradientUnmasked
  case tiedGradientOverwritten
  case poolGradientShifted
  case statisticsTakenAsConstants
  case dropoutGradientOfOtherMask
  case concatenationGradientShifted
  case turnedGradientNotTurnedBack
  /// Where backward computes a block again.
  case copyDrawsOtherMask
  case stateForgottenBackward
  case gradientCrossesBorder
  /// Forward and backward.
  case stateNotCarried
  /// Forward, where there is no gradient.
  case firstStateKept

  /// Whether the forward half has it too.
  var isForward: Bool {
    switch self {
    case .attentionUnmasked, .stateNotCarried, .firstStateKept: true
    default: false
    }
  }

  /// The graph with the fault in the first place that it fits; nil: it fits nowhere.
  func planted(in graph: ModelGraph) -> ModelGraph? {
    var result = graph
    let isPlanted =
      switch self {
      case .attentionUnmasked: result.unmaskAttention()
      case .memoryGradientUnmasked: result.unmaskMemoryGradient()
      case .branchCountedTwice: result.countBranchTwice()
      case .lossGradientDoubled: result.doubleLossGradient()
      case .copyDrawsOtherMask: result.changeBackward(ofCopies: true, changed)
      case .recurrentGradientTruncated: result.truncateRecurrence()
      case .tiedGradientOverwritten: result.overwriteTiedGradient()
      case .denseWeightTransposed: result.transposeDenseWeight()
      case .statisticsTakenAsConstants: result.takeStatisticsAsConstants()
      case .stateForgottenBackward: result.forgetStates(forward: false)
      case .stateNotCarried: result.forgetStates(forward: true)
      case .gradientCrossesBorder: result.letGradientCrossBorder()
      case .firstStateKept: result.keepFirstStates()
      case .activationGradientMissing, .branchLost, .turnedGradientNotTurnedBack:
        result.bypassBackward(isLost)
      default: result.changeBackward(changed)
      }
    return isPlanted ? result : nil
  }

  private func isLost(_ kind: OperationKind) -> Bool {
    switch (self, kind) {
    case (.activationGradientMissing, .activationGradient): true
    case (.branchLost, .add): true
    case (.turnedGradientNotTurnedBack, .transpose): true
    default: false
    }
  }

  /// Another kind with the same inputs and outputs; nil: the fault does not fit here.
  private func changed(_ kind: OperationKind) -> OperationKind? {
    switch (self, kind) {
    case (.convolutionWeightPaddingShifted, .convolutionWeightGradient(let geometry)):
      return .convolutionWeightGradient(geometry.shifted)
    case (.convolutionInputPaddingShifted, .convolutionInputGradient(let geometry)):
      return .convolutionInputGradient(geometry.shifted)
    case (.activationGradientOfAnother, .activationGradient(let activation)):
      return .activationGradient(activation.mistaken)
    case (.recurrentGradientReversed, .recurrenceGradient(var shape)):
      shape.isReversed.toggle()
      return .recurrenceGradient(shape)
    case (.attentionGradientUnmasked, .attentionGradient(var shape)) where shape.isCausal:
      shape.isCausal = false
      return .attentionGradient(shape)
    case (.poolGradientShifted, .maxPoolGradient(var geometry)):
      geometry.horizontal.padBefore += 1
      return .maxPoolGradient(geometry)
    case (.dropoutGradientOfOtherMask, .dropout(let rate, let stream)),
      (.copyDrawsOtherMask, .dropout(let rate, let stream)):
      return .dropout(rate: rate, stream: stream + " again")
    case (.concatenationGradientShifted, .slice(let offset, let count, let total, let positions))
    where offset > 0:
      return .slice(offset: offset - 1, count: count, total: total, positions: positions)
    default: return nil
    }
  }
}

extension ModelGraph {
  /// Operations behind the loss.
  private var backward: Range<Int> {
    let loss = operations.lastIndex { $0.kind.isLoss }
    return (loss.map { $0 + 1 } ?? operations.count)..<operations.count
  }

  /// Whether an operation of backward gives the gradient of an activation.
  private func isGradient(_ index: Int) -> Bool {
    !operations[index].isRecomputed && self[operations[index].outputs[0]].role == .activation
  }

  /// - Parameter ofCopies: Of what is computed again; else of gradients.
  fileprivate mutating func changeBackward(
    ofCopies: Bool = false, _ change: (OperationKind) -> OperationKind?
  ) -> Bool {
    for index in backward where operations[index].isRecomputed == ofCopies {
      guard let kind = change(operations[index].kind) else { continue }
      operations[index].kind = kind
      return true
    }
    return false
  }

  /// Leaves out an operation on a gradient, which is its last input.
  fileprivate mutating func bypassBackward(_ isLost: (OperationKind) -> Bool) -> Bool {
    let index = backward.first { isLost(operations[$0].kind) && isGradient($0) }
    guard let index else { return false }
    bypass(index, input: operations[index].inputs.count - 1)
    return true
  }

  fileprivate mutating func unmaskAttention() -> Bool {
    var isPlanted = false
    for index in operations.indices {
      switch operations[index].kind {
      case .attention(var shape) where shape.isCausal:
        shape.isCausal = false
        operations[index].kind = .attention(shape)
      case .attentionGradient(var shape) where shape.isCausal:
        shape.isCausal = false
        operations[index].kind = .attentionGradient(shape)
      default: continue
      }
      isPlanted = true
    }
    return isPlanted
  }

  /// Cross attention's gradient forgets how long the memory is.
  fileprivate mutating func unmaskMemoryGradient() -> Bool {
    for index in backward {
      guard case .attentionGradient(var shape) = operations[index].kind, shape.hasKeyLengths else {
        continue
      }
      operations[index].inputs.remove(at: shape.hasQueryLengths ? 3 : 2)
      shape.hasKeyLengths = false
      operations[index].kind = .attentionGradient(shape)
      return true
    }
    return false
  }

  /// Where two branches meet on the way back, one of them goes in twice.
  fileprivate mutating func countBranchTwice() -> Bool {
    let index = backward.first { operations[$0].kind == .add && isGradient($0) }
    guard let index else { return false }
    let branch = operations[index].inputs[1]
    let twice = addValue(.activation, elementCount: self[branch].elementCount)
    operations[index].inputs[1] = twice
    operations.insert(
      Operation(.add, inputs: [branch, branch], outputs: [twice], layer: operations[index].layer),
      at: index)
    return true
  }

  fileprivate mutating func doubleLossGradient() -> Bool {
    let index = backward.lowerBound - 1
    guard index >= 0, operations[index].outputs.count > 1 else { return false }
    insert(.add, behind: index, output: 1) { [$0, $0] }
    return true
  }

  /// No step hears from the steps behind it: of the gradients of all steps only the newest one's is left.
  fileprivate mutating func truncateRecurrence() -> Bool {
    for index in backward {
      guard case .recurrenceGradient(let shape) = operations[index].kind else { continue }
      let last = shape.isReversed ? 0 : shape.steps - 1
      for output in operations[index].outputs.indices {
        let value = operations[index].outputs[output]
        let step = addValue(.activation, elementCount: shape.width)
        insert(
          .stepGradient(last, steps: shape.steps, channels: shape.width), behind: index,
          output: output
        ) { _ in [step] }
        operations.insert(
          Operation(
            .step(last, steps: shape.steps, channels: shape.width), inputs: [value],
            outputs: [step], layer: operations[index].layer),
          at: index + 1)
      }
      return true
    }
    return false
  }

  /// What the output layer says of the table that it shares with the embedding is written over.
  fileprivate mutating func overwriteTiedGradient() -> Bool {
    for index in backward {
      guard case .embeddingGradient = operations[index].kind, operations[index].inputs.count > 2
      else { continue }
      operations[index].inputs.removeLast()
      return true
    }
    return false
  }

  fileprivate mutating func transposeDenseWeight() -> Bool {
    for index in backward {
      guard
        case .denseWeightGradient(let inputs, let units, let positions) = operations[index].kind,
        inputs > 1, units > 1
      else { continue }
      operations[index].kind = .denseWeightGradient(
        inputs: units, units: inputs, positions: positions)
      operations[index].inputs.swapAt(0, 1)
      return true
    }
    return false
  }

  /// Batch norm's gradient without the part that passes through mean and variance.
  fileprivate mutating func takeStatisticsAsConstants() -> Bool {
    for index in backward {
      guard case .batchNormGradient(let shape) = operations[index].kind,
        let norm = operations.first(where: {
          $0.outputs.count == 4 && operations[index].inputs.contains($0.outputs[2])
        })
      else { continue }
      operations[index].kind = .batchNormInferenceGradient(shape)
      operations[index].inputs[operations[index].inputs.count - 1] = norm.outputs[3]
      return true
    }
    return false
  }
}

extension ConvolutionGeometry {
  /// Windows that begin one row earlier.
  fileprivate var shifted: ConvolutionGeometry {
    var geometry = self
    geometry.vertical.padBefore += 1
    geometry.algorithm = .direct
    return geometry
  }
}

extension Activation {
  /// Another function whose gradient is computed from the same values.
  fileprivate var mistaken: Activation {
    switch self {
    case .tanh: .sigmoid
    case .silu: .gelu
    case .gelu, .geluTanh, .hardSwish: .silu
    case .leakyRelu(let slope): .leakyRelu(slope: slope / 2)
    default: .tanh
    }
  }
}
