import Storage

// The rules are written for one weight; the compiler makes vectors of them. No rounding depends on how:
// fused multiply-adds stand in the source, roots and quotients are exact to the last bit. So a weight gets the
// same bits wherever a block is cut.

/// One pass over `weights` and `gradient`, both `[count]`: prepares each gradient, asks the rule for its
/// direction, moves the weight along it. `direction` reads and writes the rule's slots at the index it is given.
@inline(__always)
func updatePass<S: Scalar>(
  _ weights: Block<S>, _ gradient: Block<S>, _ terms: UpdateTerms,
  direction: (_ gradient: S, _ index: Int) -> S
) {
  precondition(
    gradient.count == weights.count, "\(gradient.count) slopes, \(weights.count) weights")
  let factors = UpdateFactors<S>(terms)
  let (weights, gradient, count) = (weights.base, gradient.base, weights.count)
  for index in 0..<count {
    let w = weights[index]
    let g = factors.prepared(gradient[index], weight: w)
    weights[index] = factors.moved(w, along: direction(g, index))
  }
}
