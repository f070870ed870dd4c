/// What the core can do at best: fused multiply-adds whose operands never leave the registers.
package enum FusedMultiplyAddPeak {
  /// Runs `steps` rounds of independent chains and says how many floating-point operations they were.
  ///
  /// - Returns: The operations, two per multiply-add, and a number made of the chains, so that no
  ///   optimiser can drop them.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package static func run<S: Scalar>(steps: Int, _ factor: S) -> (operations: Int, proof: S) {
    let lanes = S.Vector.scalarCount
    guard TileLimits.isWide else {
      let chains = runSix(steps: steps, factor)
      return (2 * 6 * lanes * steps, chains)
    }
    return (2 * 12 * lanes * steps, runTwelve(steps: steps, factor))
  }

  @inline(never)
  private static func runSix<S: Scalar>(steps: Int, _ factor: S) -> S {
    let (x, y) = (S.Vector(repeating: factor), S.Vector(repeating: factor))
    var chains = SixChains<S>()
    for _ in 0..<steps { chains.addProduct(x, y) }
    return chains.sum
  }

  @inline(never)
  private static func runTwelve<S: Scalar>(steps: Int, _ factor: S) -> S {
    let (x, y) = (S.Vector(repeating: factor), S.Vector(repeating: factor))
    var (first, second) = (SixChains<S>(), SixChains<S>())
    for _ in 0..<steps {
      first.addProduct(x, y)
      second.addProduct(x, y)
    }
    return first.sum + second.sum
  }
}

/// Twelve registers of AVX2, six of AVX-512.
private struct SixChains<S: Scalar> {
  var a = S.Vector(repeating: 1)
  var b = S.Vector(repeating: 2)
  var c = S.Vector(repeating: 3)
  var d = S.Vector(repeating: 4)
  var e = S.Vector(repeating: 5)
  var f = S.Vector(repeating: 6)

  @inline(__always) mutating func addProduct(_ x: S.Vector, _ y: S.Vector) {
    a.addProduct(x, y)
    b.addProduct(x, y)
    c.addProduct(x, y)
    d.addProduct(x, y)
    e.addProduct(x, y)
    f.addProduct(x, y)
  }

  var sum: S { (a + b + c + d + e + f).sum() }
}
