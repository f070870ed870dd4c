import Storage

// Every rule is one pass without allocation. All blocks have the weights' count
// (whoever calls has cut them by one range) and do not overlap.
// `g` is the prepared gradient, `a` the learning rate; see `UpdateTerms` for what surrounds the rule.

/// Plain descent: `w -= a g`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func updateByGradient<S: Scalar>(
  weights: Block<S>, gradient: Block<S>, terms: UpdateTerms
) {
  updatePass(weights, gradient, terms) { g, _ in g }
}

/// The courses' momentum: `v = beta v + (1 - beta) g`; `w -= a v`.
///
/// Source: Ng, Deep Learning Specialization, course 2, week 2 (no bias correction).
@_specialize(where S == Float)
@_specialize(where S == Double)
package func updateByExponentialMomentum<S: Scalar>(
  weights: Block<S>, gradient: Block<S>, momentum: Block<S>, beta: Double, terms: UpdateTerms
) {
  let (kept, added, momentum) = (S(beta), S(1 - beta), momentum.base)
  updatePass(weights, gradient, terms) { g, index in
    let v = (momentum[index] * kept).addingProduct(g, added)
    momentum[index] = v
    return v
  }
}

/// Classical momentum: `v = beta v + g`; `w -= a v`, with Nesterov's look ahead `w -= a (g + beta v)`.
///
/// Source: Sutskever et al., ICML 2013, in the form of PyTorch's `SGD` (dampening 0).
@_specialize(where S == Float)
@_specialize(where S == Double)
package func updateByMomentum<S: Scalar>(
  weights: Block<S>, gradient: Block<S>, momentum: Block<S>, beta: Double, nesterov: Bool,
  terms: UpdateTerms
) {
  let (kept, momentum) = (S(beta), momentum.base)
  updatePass(weights, gradient, terms) { g, index in
    let v = g.addingProduct(momentum[index], kept)
    momentum[index] = v
    return nesterov ? g.addingProduct(v, kept) : v
  }
}

/// `s = beta s + (1 - beta) g^2`; `w -= a g / (sqrt(s) + epsilon)`.
///
/// Source: Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012; epsilon
/// outside the root as in PyTorch's `RMSprop`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func updateByRMSprop<S: Scalar>(
  weights: Block<S>, gradient: Block<S>, squareAverage: Block<S>, beta: Double, epsilon: Double,
  terms: UpdateTerms
) {
  let (kept, added, epsilon) = (S(beta), S(1 - beta), S(epsilon))
  let squareAverage = squareAverage.base
  updatePass(weights, gradient, terms) { g, index in
    let s = (squareAverage[index] * kept).addingProduct(g * g, added)
    squareAverage[index] = s
    return g / (s.squareRoot() + epsilon)
  }
}

/// `s += g^2`; `w -= a g / (sqrt(s) + epsilon)`.
///
/// Source: Duchi, Hazan, Singer, JMLR 12, 2011, figure 1; epsilon as in PyTorch's `Adagrad`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func updateByAdagrad<S: Scalar>(
  weights: Block<S>, gradient: Block<S>, squareSum: Block<S>, epsilon: Double, terms: UpdateTerms
) {
  let (epsilon, squareSum) = (S(epsilon), squareSum.base)
  updatePass(weights, gradient, terms) { g, index in
    let s = squareSum[index].addingProduct(g, g)
    squareSum[index] = s
    return g / (s.squareRoot() + epsilon)
  }
}

/// `m = beta1 m + (1 - beta1) g`; `v = beta2 v + (1 - beta2) g^2`; then, with `m^ = m / (1 - beta1^t)`
/// and `v^ = v / (1 - beta2^t)`, `w -= a m^ / (sqrt(v^) + epsilon)`.
///
/// Source: Kingma and Ba, ICLR 2015, algorithm 1; with `terms.weightDecay` it is AdamW: Loshchilov and
/// Hutter, ICLR 2019, algorithm 2.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func updateByAdam<S: Scalar>(
  weights: Block<S>, gradient: Block<S>, mean: Block<S>, square: Block<S>,
  constants: AdamConstants, terms: UpdateTerms
) {
  let (factors, mean, square) = (AdamFactors<S>(constants), mean.base, square.base)
  updatePass(weights, gradient, terms) { g, index in
    let m = factors.mean(mean[index], taking: g)
    let v = factors.square(square[index], taking: g)
    mean[index] = m
    square[index] = v
    return factors.direction(mean: m, square: v)
  }
}
