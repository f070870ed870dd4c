import Engine
import Graph
import Metrics
import Optimizers
import Plan

/// One batch learned by heart, without dropout: the loss falls, every tensor with a gradient moves, and so do running
/// statistics.
struct OverfitCheck {
  private let material: VerifyMaterial
  private let plan: ExecutionPlan

  init(_ material: VerifyMaterial) {
    self.material = material
    plan = ExecutionPlan(
      step: material.plans.training.graph.withoutDropout(),
      capacity: material.plans.training.capacity)
  }

  private struct Attempt {
    var losses: [Double] = []
    var unmoved: [String] = []

    var first: Double { losses.first ?? .nan }
    var last: Double { losses.last ?? .nan }
    var isLearned: Bool { last <= OverfitCheck.goal * first }
    var text: String {
      "loss \(measureText(first)) -> \(measureText(last)) in \(losses.count) steps"
    }
  }

  /// The part of the first loss that must not be left over.
  private static var goal: Double { 0.7 }

  func run() throws -> VerifyFinding {
    let replica = material.replica()
    let own = try attempt(replica, optimizer: nil)
    let rule = replica.optimizer.spec
    if own.isLearned || !own.unmoved.isEmpty {
      return finding(own, "with \(rule.rule.name) at \(measureText(rule.learningRate))")
    }
    let robust = OptimizerSpec(
      rule: .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), learningRate: 1e-3)
    let other = material.replica()
    let attempt = try attempt(
      other,
      optimizer: Optimizer(
        spec: robust, segments: other.model.segments, parameterCount: other.model.parameters.count))
    return finding(
      attempt,
      "with adam at 0.001; \(rule.rule.name) at \(measureText(rule.learningRate)), as configured: \(own.text)"
    )
  }

  private func finding(_ attempt: Attempt, _ how: String) -> VerifyFinding {
    guard attempt.unmoved.isEmpty else {
      return VerifyFinding(
        .overfit, passed: false,
        "\(shortList(attempt.unmoved)) stood still in \(attempt.losses.count) steps")
    }
    let samples = "on the same \(material.size.batch) samples"
    return VerifyFinding(
      .overfit, passed: attempt.isLearned,
      attempt.isLearned
        ? "\(attempt.text) \(samples) \(how); everything moves"
        : "\(attempt.text) \(samples) \(how): it should fall to \(measureText(Self.goal * attempt.first))"
    )
  }

  private func attempt(_ replica: Replica, optimizer: Optimizer<Float>?) throws -> Attempt {
    let steps = try VerifySteps(material, replica, plan: plan, optimizer: optimizer)
    let start = Weights(replica.model)
    var attempt = Attempt()
    while attempt.losses.count < material.size.overfitSteps {
      do {
        attempt.losses.append(try steps.take())
      } catch let fault as NotFinite {
        attempt.losses.append(fault.loss.isFinite ? .infinity : fault.loss)
        break
      }
      if attempt.losses.count > 3, attempt.last < 0.1 * attempt.first { break }
    }
    let spec = replica.optimizer.spec
    attempt.unmoved =
      start.unmovedParameters(of: replica.model).filter { index in
        let parameter = replica.model.parameterList[index]
        let isFrozen = spec.hyper(of: parameter.name, kind: parameter.kind).learningRateFactor == 0
        return !isFrozen && steps.gradient(index).array.contains { $0 != 0 }
      }.map { replica.model.parameterList[$0].name }
      + start.unmovedStatistics(of: replica.model)
    return attempt
  }
}

extension UpdateRule {
  /// Its `kind` in the configuration.
  fileprivate var name: String {
    switch self {
    case .sgd: "sgd"
    case .exponentialMomentum, .momentum: "momentum"
    case .rmsprop: "rmsprop"
    case .adagrad: "adagrad"
    case .adam: "adam"
    case .lars: "lars"
    case .lamb: "lamb"
    }
  }
}
