import Kernels
import Storage

/// The update rule at work: owns the rule's slots (one number per parameter each, laid out like the
/// parameter buffer) and moves weights along gradients.
///
/// The slots may lie in memory that other ranks see: each of them then updates a part of the parameters.
///
/// Each weight's update depends on nothing but its own numbers (and, for LARS and LAMB, the ratio of its
/// tensor, see `prepare`), so buckets may come in any cut and order.
package final class Optimizer<S: Scalar> {
  package let spec: OptimizerSpec
  package let parameterCount: Int
  /// What sums of squares are formed by, and where the work may be cut.
  package let blocks: NormBlocks
  let runs: [ParameterRun]
  /// nil: the rule needs no norms.
  var trust: TrustRatios<S>?
  private let slots: SharedMemory<S>

  /// - Parameters:
  ///   - segments: The parameters in the order of their offsets, without overlap; gaps (padding) are never touched.
  ///   - parameterCount: Elements of the parameter buffer.
  ///   - slots: The first part is used; `slotElements(_:parameterCount:)` zeros. nil: memory of its own.
  ///   - norms: The first part is used; two numbers per block of `NormBlocks(segments)`.
  package init(
    spec: OptimizerSpec, segments: [ParameterSegment], parameterCount: Int,
    slots: SharedMemory<S>? = nil, norms: SharedMemory<Double>? = nil
  ) {
    self.spec = spec
    self.parameterCount = parameterCount
    blocks = NormBlocks(segments)
    runs = ParameterRun.runs(of: segments, spec: spec)
    precondition(
      runs.allSatisfy { 0 <= $0.range.lowerBound && $0.range.upperBound <= parameterCount },
      "a parameter lies outside a buffer of \(parameterCount)")
    let elements = Self.slotElements(spec.rule, parameterCount: parameterCount)
    self.slots = slots ?? SharedMemory(alone: elements)
    trust = spec.rule.isLayerwise ? TrustRatios(blocks, sums: norms) : nil
  }

  /// Elements of all slots together; each starts on a cache line.
  package static func slotElements(_ rule: UpdateRule, parameterCount: Int) -> Int {
    rule.slotCount * stride(parameterCount)
  }

  private static func stride(_ parameterCount: Int) -> Int {
    let line = AlignedMemory<S>.alignmentBytes / MemoryLayout<S>.stride
    return (parameterCount + line - 1) / line * line
  }

  /// Names of the rule's state in checkpoints, in the order of `slot(_:)`.
  package var slotNames: [String] { spec.rule.slotNames }

  /// One slot, `[parameterCount]`: zeros at the start, to be filled when a run resumes.
  package func slot(_ index: Int) -> Block<S> {
    precondition((0..<slotNames.count).contains(index), "slot \(index) of \(spec.rule)")
    let start = index * Self.stride(parameterCount)
    return slots.parts[0][start..<start + parameterCount]
  }

  /// Moves the weights of one stretch of the parameter buffer by one step; allocates nothing.
  ///
  /// - Parameters:
  ///   - range: The stretch: a bucket, or any part of one.
  ///   - weights: The weights of `range`, `[range.count]`.
  ///   - gradient: Their gradient, `[range.count]`; not changed.
  ///   - step: From 1, for Adam's bias correction; with LARS and LAMB the step of `combineNorms`.
  ///   - learningRate: The schedule's for this step.
  ///   - gradientScale: From `clipScale(norm:limit:)`.
  ///   - clipValue: Largest magnitude of a scaled gradient element.
  package func update(
    _ range: Range<Int>, weights: Block<S>, gradient: Block<S>, step: Int, learningRate: Double,
    gradientScale: Double = 1, clipValue: Double? = nil
  ) {
    precondition(
      weights.count == range.count && gradient.count == range.count,
      "\(weights.count) weights and \(gradient.count) slopes for \(range)")
    for run in runs {
      let part = run.range.clamped(to: range)
      if part.isEmpty { continue }
      let local = part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound
      let ratio = trust?.ratio(ofTensor: run.tensor, step: step) ?? 1
      var terms = run.hyper.terms(learningRate: learningRate * ratio)
      terms.gradientScale = gradientScale
      terms.clipValue = clipValue ?? .infinity
      apply(part, weights: weights[local], gradient: gradient[local], step: step, terms: terms)
    }
  }

  /// What L2 and L1 add to the loss: the sum over parameters of `l2 / 2 * ||w||^2 + l1 * ||w||_1`.
  ///
  /// - Parameter weights: The whole parameter buffer, `[parameterCount]`.
  package func penalty(weights: Block<S>) -> Double {
    precondition(weights.count == parameterCount, "\(weights.count) of \(parameterCount) weights")
    return runs.filter { $0.hyper.l2 != 0 || $0.hyper.l1 != 0 }.reduce(0) { sum, run in
      sum + weightPenalty(weights[run.range], l2: run.hyper.l2, l1: run.hyper.l1)
    }
  }

  private func apply(
    _ range: Range<Int>, weights: Block<S>, gradient: Block<S>, step: Int, terms: UpdateTerms
  ) {
    switch spec.rule {
    case .sgd:
      updateByGradient(weights: weights, gradient: gradient, terms: terms)
    case .exponentialMomentum(let beta):
      updateByExponentialMomentum(
        weights: weights, gradient: gradient, momentum: slot(0)[range], beta: beta, terms: terms)
    case .momentum(let beta, let nesterov):
      updateByMomentum(
        weights: weights, gradient: gradient, momentum: slot(0)[range], beta: beta,
        nesterov: nesterov, terms: terms)
    case .rmsprop(let beta, let epsilon):
      updateByRMSprop(
        weights: weights, gradient: gradient, squareAverage: slot(0)[range], beta: beta,
        epsilon: epsilon, terms: terms)
    case .adagrad(let epsilon):
      updateByAdagrad(
        weights: weights, gradient: gradient, squareSum: slot(0)[range], epsilon: epsilon,
        terms: terms)
    case .adam(let beta1, let beta2, let epsilon):
      updateByAdam(
        weights: weights, gradient: gradient, mean: slot(0)[range], square: slot(1)[range],
        constants: AdamConstants(beta1: beta1, beta2: beta2, epsilon: epsilon, step: step),
        terms: terms)
    case .lars(let momentum, _):
      updateByLARS(
        weights: weights, gradient: gradient, velocity: slot(0)[range], momentum: momentum,
        terms: terms)
    case .lamb(let beta1, let beta2, let epsilon):
      updateByLAMB(
        weights: weights, mean: slot(0)[range], square: slot(1)[range],
        constants: AdamConstants(beta1: beta1, beta2: beta2, epsilon: epsilon, step: step),
        terms: terms)
    }
  }
}
