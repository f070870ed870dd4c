import Collectives
import DataParallel
import Engine
import Foundation
import Graph
import Metrics
import Storage

/// The proofs before a long run: that this very model learns what its data say, and nothing else.
///
/// Rank 0 proves; the others take part where ranks matter.
package struct Verification {
  private let material: VerifyMaterial
  private let written: RunSpec
  private let collectives: any Collectives

  /// Plans the proofs and reads the samples; all ranks make theirs together.
  ///
  /// - Parameters:
  ///   - plans: Of the run as it was written.
  ///   - mutant: For tests of the proofs: a fault that is planted into what is proven.
  ///   - inputPlace: Where the model's input is written, for a fault of its shape.
  /// - Throws: A `Diagnostic` when the mutant has no place in the model.
  package init(
    _ spec: RunSpec, plans: ModelPlans, mutant: Mutant? = nil, inputPlace: String,
    over collectives: any Collectives, activity: RankActivity = RankActivity(step: 0)
  ) throws {
    written = spec
    self.collectives = collectives
    material = try VerifyMaterial(
      spec, written: plans, mutant: mutant, inputPlace: inputPlace, over: collectives,
      activity: activity)
  }

  /// What is proven, and on what.
  package var title: String {
    let graph = material.plans.graph
    let size =
      material.size.input == written.model.input
      ? "" : " of \(material.size.input) instead of \(written.model.input)"
    let source = material.samples.substitution ?? "of the training data"
    return "\(written.name): \(groupedDigits(graph.parameterCount)) parameters in "
      + "\(graph.parameters.count) tensors, on \(material.samples.count) samples\(size) (\(source))"
  }

  /// Proves everything; all ranks call it.
  ///
  /// - Parameter report: Is told each finding as it is made, on rank 0.
  /// - Returns: Whether all proofs passed, on every rank.
  package func run(report: (VerifyFinding) -> Void) throws -> Bool {
    var passed = true
    func note(_ finding: VerifyFinding?) {
      guard let finding else { return }
      passed = passed && finding.passed
      report(finding)
    }
    try collectives.agree {
      guard collectives.isRoot else { return }
      note(DataCheck(material).run())
      // Kernels trust classes and tokens.
      if passed { try proveGradients(note) }
    }
    guard try !collectives.anyRank(!passed && hasUnusableData) else { return false }
    let sums = try ranksFinding()
    try collectives.agree {
      guard collectives.isRoot else { return }
      note(sums)
      note(try OverfitCheck(material).run())
      note(try ResumeCheck(material).run())
      note(RepeatCheck(material, model: material.replica().model).run())
    }
    return try !collectives.anyRank(!passed)
  }

  private var hasUnusableData: Bool { !DataCheck(material).run().passed }

  // MARK: Gradients

  private func proveGradients(_ note: (VerifyFinding?) -> Void) throws {
    let replica = material.replica()
    let loss = try SmoothLoss(material)
    let check = GradientCheck(material, loss: loss, base: replica.model)
    for parameter in replica.model.parameterList.indices {
      let weights = replica.model.parameter(parameter).array
      loss.model.parameter(parameter).copy(from: weights.map { Double($0) })
    }
    note(start(loss))
    check.run()
    note(gradients(check))
    note(flow(check))
    note(LookaheadCheck(material, model: replica.model).run())
    note(CarryCheck(material, model: replica.model).run())
  }

  /// Whether training starts where it should: near the loss of a network that knows nothing.
  private func start(_ loss: SmoothLoss) -> VerifyFinding {
    if let layer = loss.firstNotFinite() {
      return VerifyFinding(.start, passed: false, "numbers that are not finite, first in \(layer)")
    }
    let (first, ignorant) = (loss.hold(step: 0), loss.valueOfZeroOutputs())
    let range = ignorant / 4...max(4 * ignorant, ignorant + 4)
    var knowing = "of outputs that are all 0"
    if case .softmaxCrossEntropy(_, nil, _) = written.loss {
      knowing = "ln(\(material.plans.outputs))"
    }
    let text = "the first loss is \(measureText(first)), \(knowing) \(measureText(ignorant))"
    // Values far from 0 are no fault of the network.
    let isFine = range.contains(first) || !written.loss.countsRightAnswers
    return VerifyFinding(
      .start, passed: isFine,
      isFine
        ? "\(text); all numbers are finite"
        : "\(text): a network that knows nothing should begin near it, so look at the first weights, "
          + "the normalisation and the targets")
  }

  private func gradients(_ check: GradientCheck) -> VerifyFinding {
    let names = check.parameters.map(\.name)
    guard check.notFinite.isEmpty else {
      return VerifyFinding(
        .gradients, passed: false,
        "not finite: \(shortList(check.notFinite.map { names[$0] }))")
    }
    guard let nearest = check.wrong.first else {
      let kinks = check.restepped == 0 ? "" : ", \(check.restepped) of them with other steps"
      return VerifyFinding(
        .gradients, passed: true,
        "worst relative error \(scientific(check.worst.error)) (\(check.worst.name)); "
          + "\(check.summary)\(kinks), in Double")
    }
    let wrong = check.wrong.map { names[$0.parameter] }
    return VerifyFinding(
      .gradients, passed: false,
      "\(names[nearest.parameter]): relative error \(scientific(nearest.error)), limit "
        + "\(scientific(GradientCheck.limit)); from the loss backwards wrong in \(shortList(wrong)), "
        + "right in \(names.count - wrong.count) of \(names.count) tensors")
  }

  private func flow(_ check: GradientCheck) -> VerifyFinding {
    let names = check.parameters.map(\.name)
    guard check.dead.isEmpty, check.notFinite.isEmpty else {
      let bad = check.dead.isEmpty ? check.notFinite : check.dead
      return VerifyFinding(
        .flow, passed: false, "no gradient reaches \(shortList(bad.map { names[$0] }))")
    }
    let alive = check.norms.indices.filter { check.norms[$0] > 0 }
    guard let least = alive.min(by: { check.norms[$0] < check.norms[$1] }),
      let most = alive.max(by: { check.norms[$0] < check.norms[$1] })
    else { return VerifyFinding(.flow, passed: false, "there are no gradients") }
    let rounding = names.indices.filter {
      check.parameters[$0].isTrained && check.norms[$0] < 1e-13 * check.norms[most]
    }
    let waste =
      rounding.isEmpty
      ? "" : "; nothing but rounding in \(shortList(rounding.map { names[$0] }))"
    return VerifyFinding(
      .flow, passed: true,
      "every tensor gets a gradient, of norm \(scientific(check.norms[least])) (\(names[least])) to "
        + "\(scientific(check.norms[most])) (\(names[most]))\(waste)")
  }

  // MARK: Ranks

  /// All ranks call it; rank 0 gets what it finds.
  private func ranksFinding() throws -> VerifyFinding? {
    if !material.spec.model.wholeBatchNorms.isEmpty {
      return VerifyFinding(
        .ranks, passed: true,
        "nothing to compare: batch norm takes the statistics of the whole batch")
    }
    let sums = ShardSums(material, model: material.replica().model)
    let alone = collectives.isRoot ? sums.sumOfOneRank() : nil
    let shards = material.spec.training.shards
    let together = collectives.ranks > 1 ? try sums.sum(over: collectives) : nil
    guard let alone else { return nil }
    if let together {
      return finding(
        sums.differences(alone, together), sums, ranks: "\(collectives.ranks)")
    }
    let counts = [2, 3, shards].filter { $0 <= shards }
    for ranks in Set(counts).sorted() {
      let differences = sums.differences(alone, sums.sum(ofRanks: ranks))
      if !differences.isEmpty { return finding(differences, sums, ranks: "\(ranks)") }
    }
    let words = Set(counts).sorted().map(String.init).joined(separator: ", ")
    return finding([], sums, ranks: words.isEmpty ? "1" : words)
  }

  private func finding(_ differences: [String], _ sums: ShardSums, ranks: String) -> VerifyFinding {
    let shards = material.spec.training.shards
    return VerifyFinding(
      .ranks, passed: differences.isEmpty,
      differences.isEmpty
        ? "the sum of \(shards) shards has the same bits on \(ranks) ranks as on one, in "
          + "\(groupedDigits(sums.elementCount)) numbers"
        : "the sum of \(shards) shards has other bits on \(ranks) ranks than on one in "
          + shortList(differences))
  }
}

private func scientific(_ number: Double) -> String { String(format: "%.1e", number) }
