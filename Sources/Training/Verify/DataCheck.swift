import Graph
import Kernels
import Metrics
import Storage

/// Inputs and targets as the kernels need them.
struct DataCheck {
  private let material: VerifyMaterial
  private let graph: ModelGraph

  init(_ material: VerifyMaterial) {
    self.material = material
    graph = material.plans.graph
  }

  func run() -> VerifyFinding {
    let (inputs, inputFault) = inputs()
    let (targets, targetFault) = targets()
    let faults = [inputFault, targetFault].compactMap(\.self)
    return VerifyFinding(
      .data, passed: faults.isEmpty,
      faults.isEmpty
        ? "\(inputs), \(targets), in \(material.samples.count) samples"
        : faults.joined(separator: "; "))
  }

  private func inputs() -> (text: String, fault: String?) {
    let block = material.samples.inputs.block
    if let bad = firstNonFinite(in: block) {
      let width = block.count / material.samples.count
      return ("", "element \(bad % width) of the input of sample \(bad / width) is \(block[bad])")
    }
    let readers = graph.tokenReaders
    let numbers = block.array
    let width = block.count / material.samples.count
    for reader in readers {
      let bad = numbers.enumerated().first { index, number in
        reader.elements.contains(index % width)
          && (number != number.rounded() || number < 0 || number >= Float(reader.words))
      }
      if let bad {
        return (
          "", "the inputs hold \(bad.element), which is no token of 0 to \(reader.words - 1)"
        )
      }
    }
    let others = numbers.enumerated().filter { index, _ in
      !readers.contains { $0.elements.contains(index % width) }
    }.map(\.element)
    let tokens = Set(readers.map(\.words)).sorted().map { "tokens below \($0)" }
    guard let least = others.min(), let most = others.max() else {
      return (tokens.joined(separator: " and "), nil)
    }
    let range = "inputs from \(measureText(Double(least))) to \(measureText(Double(most)))"
    return ((tokens + [range]).joined(separator: " and "), nil)
  }

  private func targets() -> (text: String, fault: String?) {
    let samples = material.samples
    let loss = material.spec.loss
    if material.usesClasses {
      guard let outputs = material.plans.targetOutputs else { return ("labels", nil) }
      let known = Int32(loss.firstClass)..<Int32(outputs)
      let classes = samples.classes.block.array
      let bad = classes.first { !known.contains($0) && $0 != loss.ignoredClass.map { Int32($0) } }
      return (
        "labels within the \(known.count) classes",
        bad.map {
          "the targets hold class \($0), but the model's classes are \(known.lowerBound) to \(known.upperBound - 1)"
        }
      )
    }
    let values = samples.values.block.array
    if let bad = values.first(where: { !$0.isFinite }) {
      return ("", "the targets hold \(bad)")
    }
    guard material.spec.loss.countsRightAnswers else { return ("finite targets", nil) }
    let bad = values.first { !(0...1).contains($0) }
    return (
      "targets from 0 to 1", bad.map { "the targets hold \($0), which is no share of 0 to 1" }
    )
  }
}
