import Storage

// Rules whose step length depends on the norms of whole tensors, LARS and LAMB. Each comes in two passes:
// what the norms are taken of is written to `direction`, a block that stays in the cache until it is summed;
// then, with the tensor's trust ratio known, the weights move. All blocks have the weights' count and do not
// overlap; both passes treat each weight by itself, so blocks may be cut anywhere.

/// LARS, first pass: `direction = g`, the prepared gradient (see `UpdateTerms`), whose norm the trust ratio asks for.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func prepareLARS<S: Scalar>(
  weights: Block<S>, gradient: Block<S>, terms: UpdateTerms, direction: Block<S>
) {
  let factors = UpdateFactors<S>(terms)
  let (weights, gradient) = (weights.base, gradient.base)
  let (direction, count) = (direction.base, direction.count)
  for index in 0..<count {
    direction[index] = factors.prepared(gradient[index], weight: weights[index])
  }
}

/// LARS, second pass: `v = momentum v + a (g + weightDecay w)`; `w -= v`.
///
/// `a` is `terms.learningRate`, the trust ratio multiplied in. Source: You, Gitman, Ginsburg, "Large batch
/// training of convolutional networks", 2017, algorithm 1.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func updateByLARS<S: Scalar>(
  weights: Block<S>, gradient: Block<S>, velocity: Block<S>, momentum: Double, terms: UpdateTerms
) {
  let factors = UpdateFactors<S>(terms)
  let (kept, decay) = (S(momentum), S(terms.weightDecay))
  let (weights, gradient) = (weights.base, gradient.base)
  let (velocity, count) = (velocity.base, velocity.count)
  for index in 0..<count {
    let w = weights[index]
    let g = factors.prepared(gradient[index], weight: w).addingProduct(w, decay)
    let v = (velocity[index] * kept).addingProduct(g, factors.learningRate)
    velocity[index] = v
    weights[index] = w - v
  }
}

/// LAMB, first pass: Adam's averages take in the gradient, and
/// `direction = m^ / (sqrt(v^) + epsilon) + weightDecay w`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func prepareLAMB<S: Scalar>(
  weights: Block<S>, gradient: Block<S>, mean: Block<S>, square: Block<S>,
  constants: AdamConstants, terms: UpdateTerms, direction: Block<S>
) {
  let (factors, adam) = (UpdateFactors<S>(terms), AdamFactors<S>(constants))
  let decay = S(terms.weightDecay)
  let (weights, gradient) = (weights.base, gradient.base)
  let (mean, square) = (mean.base, square.base)
  let (direction, count) = (direction.base, direction.count)
  for index in 0..<count {
    let w = weights[index]
    let g = factors.prepared(gradient[index], weight: w)
    let m = adam.mean(mean[index], taking: g)
    let v = adam.square(square[index], taking: g)
    mean[index] = m
    square[index] = v
    direction[index] = adam.direction(mean: m, square: v).addingProduct(w, decay)
  }
}

/// LAMB, second pass: `w -= a (m^ / (sqrt(v^) + epsilon) + weightDecay w)`, the averages as `prepareLAMB` left them.
///
/// `a` is `terms.learningRate`, the trust ratio multiplied in. Source: You et al., "Large batch optimization
/// for deep learning: training BERT in 76 minutes", ICLR 2020, algorithm 2.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func updateByLAMB<S: Scalar>(
  weights: Block<S>, mean: Block<S>, square: Block<S>, constants: AdamConstants, terms: UpdateTerms
) {
  let (factors, adam) = (UpdateFactors<S>(terms), AdamFactors<S>(constants))
  let (mean, square) = (mean.base, square.base)
  let (weights, count) = (weights.base, weights.count)
  for index in 0..<count {
    let direction = adam.direction(mean: mean[index], square: square[index])
    weights[index] = factors.moved(weights[index], along: direction)
  }
}
