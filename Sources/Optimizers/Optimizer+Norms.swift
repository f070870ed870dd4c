import Kernels
import Storage

// Rules that need norms of whole tensors (LARS, LAMB) take a step in three phases; for all other rules the
// first two do nothing, so whoever steps may always call them:
//
//   prepare(range)      for every stretch: LAMB's averages, sums of squares by block
//   combineNorms(step)  once: from the sums of all blocks to a ratio per tensor
//   update(range)       for every stretch
//
// A rank that owns only a slice of the state prepares its slice, gets the other owners' part of `normSums`,
// combines, and updates its slice. Slices of `prepare` end at borders of `normBlocks`; those of `update` anywhere.
extension Optimizer {
  /// Whether a step needs `prepare` and `combineNorms` before `update`.
  package var needsNorms: Bool { trust != nil }

  /// Where slices for `prepare` may be cut; nil for rules that need no norms: anywhere.
  package var normBlocks: NormBlocks? { trust == nil ? nil : blocks }

  /// What `prepare` found, `[block, 2]`: block `b`'s sums of squares of weights and of directions at `2 b` and
  /// `2 b + 1`. The owner of a slice fills the entries of its blocks, a contiguous part, which other ranks
  /// need before they combine.
  package var normSums: Block<Double>? { trust?.sums }

  /// Takes the gradient of one stretch into the rule's averages and sums up squares; no weight moves.
  ///
  /// - Parameters:
  ///   - range: A stretch of the parameter buffer that cuts no block of `normBlocks` in two.
  ///   - others: As in `update`.
  package func prepare(
    _ range: Range<Int>, weights: Block<S>, gradient: Block<S>, step: Int,
    gradientScale: Double = 1, clipValue: Double? = nil
  ) {
    guard let trust else { return }
    for run in runs {
      let part = run.range.clamped(to: range)
      if part.isEmpty { continue }
      var terms = run.hyper.terms(learningRate: 0)
      terms.gradientScale = gradientScale
      terms.clipValue = clipValue ?? .infinity
      for block in blocks.blocks(in: part) {
        let place = blocks.ranges[block]
        let local = place.lowerBound - range.lowerBound..<place.upperBound - range.lowerBound
        prepareBlock(
          place, weights: weights[local], gradient: gradient[local], step: step, terms: terms,
          direction: trust.direction.block.prefix(place.count))
        if run.hyper.isLayerwise { trust.measure(block, weights: weights[local]) }
      }
    }
  }

  /// From the sums of all blocks to the ratios of step `step`; allocates nothing.
  package func combineNorms(step: Int) {
    trust?.combine(runs, rule: spec.rule, step: step)
  }

  private func prepareBlock(
    _ range: Range<Int>, weights: Block<S>, gradient: Block<S>, step: Int, terms: UpdateTerms,
    direction: Block<S>
  ) {
    switch spec.rule {
    case .lars:
      prepareLARS(weights: weights, gradient: gradient, terms: terms, direction: direction)
    case .lamb(let beta1, let beta2, let epsilon):
      prepareLAMB(
        weights: weights, gradient: gradient, mean: slot(0)[range], square: slot(1)[range],
        constants: AdamConstants(beta1: beta1, beta2: beta2, epsilon: epsilon, step: step),
        terms: terms, direction: direction)
    default: preconditionFailure("\(spec.rule) needs no norms")
    }
  }
}

extension ParameterHyper {
  func terms(learningRate: Double) -> UpdateTerms {
    var terms = UpdateTerms(learningRate: learningRate * learningRateFactor)
    terms.l2 = l2
    terms.l1 = l1
    terms.weightDecay = weightDecay
    return terms
  }
}
