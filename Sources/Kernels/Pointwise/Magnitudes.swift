import Storage

// Questions about whole blocks. None of these reads past the end of a block.

/// The index of the first element that is infinite or not a number; nil if all are finite.
///
/// A number times zero is zero exactly if it is finite, so one fused product per vector watches a
/// stretch, and only a stretch that fails is searched element by element.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func firstNonFinite<S: Scalar>(in block: Block<S>) -> Int? {
  @inline(never) func run() -> Int? {
    let stretch = 4096
    var start = 0
    while start < block.count {
      let end = min(start &+ stretch, block.count)
      if !isFinite(block.base, from: start, to: end) {
        return (start..<end).first { !block.base[$0].isFinite }
      }
      start = end
    }
    return nil
  }
  return run()
}

@inline(__always)
private func isFinite<S: Scalar>(_ base: UnsafeMutablePointer<S>, from: Int, to end: Int) -> Bool {
  let zero = S.Vector(repeating: 0)
  var (a, b, c, d) = (zero, zero, zero, zero)
  var index = from
  while index &+ 4 &* S.lanes <= end {
    a = S.multiplyAdd(base.vector(at: index), zero, a)
    b = S.multiplyAdd(base.vector(at: index &+ S.lanes), zero, b)
    c = S.multiplyAdd(base.vector(at: index &+ 2 &* S.lanes), zero, c)
    d = S.multiplyAdd(base.vector(at: index &+ 3 &* S.lanes), zero, d)
    index &+= 4 &* S.lanes
  }
  var watch = S.sum((a + b) + (c + d))
  while index < end {
    watch += base[index] * 0
    index &+= 1
  }
  return watch == 0
}

/// `sum over i of block[i]^2`, added up in Double in an order that depends on the length alone.
///
/// Four vectors of partial sums; the elements after the last whole 32 are padded with zeros.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func sumOfSquares<S: Scalar>(_ block: Block<S>) -> Double {
  @inline(never) func run() -> Double {
    var (a, b, c, d) = (SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>(), SIMD8<Double>())
    var index = 0
    while index &+ 32 <= block.count {
      let low = S.sixteenDoubles(at: block.base + index)
      let high = S.sixteenDoubles(at: block.base + (index &+ 16))
      a = Double.multiplyAdd(low.0, low.0, a)
      b = Double.multiplyAdd(low.1, low.1, b)
      c = Double.multiplyAdd(high.0, high.0, c)
      d = Double.multiplyAdd(high.1, high.1, d)
      index &+= 32
    }
    while index < block.count {
      var rest = SIMD8<Double>()
      let left = min(8, block.count &- index)
      for lane in 0..<left { rest[lane] = Double(block.base[index &+ lane]) }
      a = Double.multiplyAdd(rest, rest, a)
      index &+= 8
    }
    return Double.sum((a + b) + (c + d))
  }
  return run()
}

/// `sum over i of block[i]`, or of `weights[i] * block[i]`, added up in Double one after the other.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func sumInOrder<S: Scalar>(_ block: Block<S>, weights: Block<S>? = nil) -> Double {
  requireSpecialised(S.self)
  var sum = 0.0
  guard let weights else {
    for index in 0..<block.count { sum += Double(block.base[index]) }
    return sum
  }
  precondition(weights.count >= block.count, "\(weights.count) weights of \(block.count)")
  for index in 0..<block.count {
    sum += Double(weights.base[index]) * Double(block.base[index])
  }
  return sum
}
