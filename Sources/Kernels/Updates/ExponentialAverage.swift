import Storage

/// `average = decay * average + (1 - decay) * weights`, written as `average += (1 - decay) * (weights - average)`
/// so that an average that has arrived stays where it is. Both `[count]`, not overlapping.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func exponentialAverage<S: Scalar>(
  weights: Block<S>, decay: Double, into average: Block<S>
) {
  precondition(
    average.count == weights.count, "\(average.count) averages, \(weights.count) weights")
  let (weights, average, count) = (weights.base, average.base, weights.count)
  let added = S(1 - decay)
  for index in 0..<count {
    let a = average[index]
    average[index] = a.addingProduct(weights[index] - a, added)
  }
}
