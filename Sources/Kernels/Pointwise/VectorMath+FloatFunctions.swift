import CVectors

extension Float {
  /// Error: at most 1 ulp where the result is normal; gradual underflow, overflow to infinity.
  ///
  /// `e^x = 2^k e^r` with `k = round(x / ln 2)` and |r| <= ln 2 / 2; 2^k is applied in two halves so
  /// that neither end of the range needs a branch.
  ///
  /// Source: Moshier, Cephes Mathematical Library 2.2, `expf` (polynomial); Cody and Waite, "Software
  /// manual for the elementary functions", 1980, chapter 6 (reduction).
  @inline(__always)
  package static func exponential(_ x: Lanes) -> Lanes {
    let (k, r) = reducedExponent(limited(x, from: -105, to: 89))
    let magic = all(wholeNumberShift)
    let half = vectorMultiplyAdd(k, all(0.5), magic)
    let rest = k - (half - magic) + magic
    return (expansion(r) + 1) * vectorPowerOfTwo(half) * vectorPowerOfTwo(rest)
  }

  /// Error: at most 2 ulp.
  @inline(__always)
  package static func exponentialMinusOne(_ x: Lanes) -> Lanes {
    let (k, r) = reducedExponent(limited(x, from: -87, to: 88))
    let power = vectorPowerOfTwo(k + all(wholeNumberShift))
    return vectorMultiplyAdd(power, expansion(r), power - 1)
  }

  /// Error: at most 1 ulp.
  ///
  /// `x = 2^e m` with m in [sqrt(1/2), sqrt(2)); a polynomial gives `ln m`.
  ///
  /// Source: Moshier, Cephes Mathematical Library 2.2, `logf`.
  @inline(__always)
  package static func logarithm(_ x: Lanes) -> Lanes {
    let least = all(.leastNormalMagnitude)
    let normal = vectorIfLess(x, least, x * 0x1p23, x)
    let f = vectorMantissa(normal) - 1
    let e = vectorExponent(normal) - vectorIfLess(x, least, all(23), all(0))
    var p = all(7.037_683_6292e-2)
    p = vectorMultiplyAdd(p, f, all(-1.151_461_0310e-1))
    p = vectorMultiplyAdd(p, f, all(1.167_699_8740e-1))
    p = vectorMultiplyAdd(p, f, all(-1.242_014_0846e-1))
    p = vectorMultiplyAdd(p, f, all(1.424_932_2787e-1))
    p = vectorMultiplyAdd(p, f, all(-1.666_805_7665e-1))
    p = vectorMultiplyAdd(p, f, all(2.000_071_4765e-1))
    p = vectorMultiplyAdd(p, f, all(-2.499_999_3993e-1))
    p = vectorMultiplyAdd(p, f, all(3.333_333_1174e-1))
    let square = f * f
    let tail = vectorMultiplyAdd(e, all(-2.121_944_40e-4), p * f * square)
    let mantissa = f + vectorMultiplyAdd(square, all(-0.5), tail)
    let result = vectorMultiplyAdd(e, all(0.693_359_375), mantissa)
    // Infinity and not-a-number stay what they are.
    let finite = vectorIfLess(x, all(.infinity), result, x)
    let defined = vectorIfLess(x, all(0), all(.nan), finite)
    return vectorIfEqual(x, all(0), all(-.infinity), defined)
  }

  /// Error: at most 2 ulp.
  ///
  /// An odd polynomial below 0.625, else `1 - 2 / (e^2|x| + 1)` with the sign of x.
  ///
  /// Source: Moshier, Cephes Mathematical Library 2.2, `tanhf`.
  @inline(__always)
  package static func hyperbolicTangent(_ x: Lanes) -> Lanes {
    let size = vectorMagnitude(x)
    let square = x * x
    var p = all(-5.704_988_72745e-3)
    p = vectorMultiplyAdd(p, square, all(2.063_908_87954e-2))
    p = vectorMultiplyAdd(p, square, all(-5.373_971_55531e-2))
    p = vectorMultiplyAdd(p, square, all(1.333_144_22036e-1))
    p = vectorMultiplyAdd(p, square, all(-3.333_328_19422e-1))
    let near = vectorMultiplyAdd(p * square, x, x)
    let far = 1 - 2 / (exponential(size + size) + 1)
    return vectorIfLess(all(0.625), size, vectorWithSign(far, x), near)
  }

  /// Error: at most 2 ulp.
  ///
  /// An odd polynomial below 0.93, else `1 - e^q(|x|)` with the sign of x.
  ///
  /// Source: Juffa, "Efficient implementation of erff", 2015 (minimax polynomials).
  @inline(__always)
  package static func errorFunction(_ x: Lanes) -> Lanes {
    let size = vectorMagnitude(x)
    let square = x * x
    var p = all(-5.967_617_03e-4)
    p = vectorMultiplyAdd(p, square, all(4.991_194_23e-3))
    p = vectorMultiplyAdd(p, square, all(-2.676_813_49e-2))
    p = vectorMultiplyAdd(p, square, all(1.128_199_25e-1))
    p = vectorMultiplyAdd(p, square, all(-3.761_253_36e-1))
    p = vectorMultiplyAdd(p, square, all(1.283_791_66e-1))
    let near = vectorMultiplyAdd(p, x, x)
    // From 4 on erf is 1 in Float.
    let t = vectorIfLess(all(4), size, all(4), size)
    let high = vectorMultiplyAdd(all(-1.728_534_70e-5), t, all(3.831_971_26e-4))
    let low = vectorMultiplyAdd(all(-3.883_964_38e-3), t, all(2.425_462_19e-2))
    var q = vectorMultiplyAdd(high, t * t, low)
    q = vectorMultiplyAdd(q, t, all(-1.067_778_77e-1))
    q = vectorMultiplyAdd(q, t, all(-6.348_466_87e-1))
    q = vectorMultiplyAdd(q, t, all(-1.287_175_12e-1))
    q = vectorMultiplyAdd(q, t, -t)
    let far = 1 - exponential(q)
    return vectorIfLess(all(0.927_734_375), size, vectorWithSign(far, x), near)
  }

  /// Adding 1.5 * 2^23 to a number leaves its nearest whole number in the low bits.
  @inline(__always)
  private static var wholeNumberShift: Float { 0x1.8p23 }

  /// `k = round(x / ln 2)` and `r = x - k ln 2`; the constant is in two parts, so r is exact to an ulp.
  @inline(__always)
  private static func reducedExponent(_ x: Lanes) -> (k: Lanes, r: Lanes) {
    let magic = all(wholeNumberShift)
    let k = vectorMultiplyAdd(x, all(1.442_695_04), magic) - magic
    let r = vectorMultiplyAdd(k, all(-0.693_147_182_464_599_6), x)
    return (k, vectorMultiplyAdd(k, all(1.904_654_323_148_236e-9), r))
  }

  /// `e^r - 1` for |r| <= ln 2 / 2.
  @inline(__always)
  private static func expansion(_ r: Lanes) -> Lanes {
    var p = all(1.987_569_15e-4)
    p = vectorMultiplyAdd(p, r, all(1.398_199_9507e-3))
    p = vectorMultiplyAdd(p, r, all(8.333_451_9073e-3))
    p = vectorMultiplyAdd(p, r, all(4.166_579_5894e-2))
    p = vectorMultiplyAdd(p, r, all(1.666_666_5459e-1))
    p = vectorMultiplyAdd(p, r, all(5.000_000_1201e-1))
    return vectorMultiplyAdd(p, r * r, r)
  }

  @inline(__always)
  private static func limited(_ x: Lanes, from low: Float, to high: Float) -> Lanes {
    let above = vectorIfLess(x, all(low), all(low), x)
    return vectorIfLess(all(high), above, all(high), above)
  }

  @inline(__always)
  private static func all(_ number: Float) -> Lanes { Lanes(repeating: number) }
}
