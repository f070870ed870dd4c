import Graph
import Kernels
import Storage

extension ShardEngine {
  /// Operations on the lengths of padded sequences, and those that read nothing but them and a sequence.
  func runLengths(_ index: Int) {
    let (x, y) = (input(index, 0), output(index))
    switch operations[index].kind {
    case .sequenceLengths(let steps, let channels, let value):
      sequenceLengths(
        of: x, sequences: rows, steps: steps, channels: channels, value: S(value), into: y)
    case .extendLengths(let steps): extendLengths(x, by: steps, into: y)
    case .keepSteps(let steps, let channels):
      keepSteps(
        x, lengths: input(index, 1), sequences: rows, steps: steps, channels: channels, into: y)
    case .lastStep(let steps, let channels):
      lastSteps(
        of: x, lengths: input(index, 1), sequences: rows, steps: steps, channels: channels,
        into: y)
    case .lastStepGradient(let steps, let channels):
      lastStepsGradient(
        x, lengths: input(index, 1), sequences: rows, steps: steps, channels: channels, into: y)
    case .averageSteps(let steps, let channels):
      averageSteps(
        x, lengths: input(index, 1), sequences: rows, steps: steps, channels: channels, into: y)
    case .averageStepsGradient(let steps, let channels):
      averageStepsGradient(
        x, lengths: input(index, 1), sequences: rows, steps: steps, channels: channels, into: y)
    default: preconditionFailure("\(operations[index].kind.name) is no operation on lengths")
    }
  }
}
