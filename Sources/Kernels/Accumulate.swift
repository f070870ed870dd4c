import Storage

/// Adds element by element: `target[i] += source[i]`.
///
/// - Precondition: Both have the same length and do not overlap.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func accumulate<S: Scalar>(_ source: Block<S>, into target: Block<S>) {
  precondition(source.count == target.count, "\(source.count) elements into \(target.count)")
  let (from, to) = (source.base, target.base)
  for index in 0..<source.count { to[index] += from[index] }
}
