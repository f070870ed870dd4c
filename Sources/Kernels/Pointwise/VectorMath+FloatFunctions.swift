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
    let (k, r) = reducedExponent(clamped(x, from: -105, to: 89))
    let half = k &>> 1
    return (expansion(r) + 1) * powerOfTwo(half) * powerOfTwo(k &- half)
  }

  /// Error: at most 2 ulp.
  @inline(__always)
  package static func exponentialMinusOne(_ x: Lanes) -> Lanes {
    let (k, r) = reducedExponent(clamped(x, from: -87, to: 88))
    let power = powerOfTwo(k)
    return (power - 1).addingProduct(power, expansion(r))
  }

  /// Error: at most 1 ulp.
  ///
  /// `x = 2^e m` with m in [sqrt(1/2), sqrt(2)); a polynomial gives `ln m`.
  ///
  /// Source: Moshier, Cephes Mathematical Library 2.2, `logf`.
  @inline(__always)
  package static func logarithm(_ x: Lanes) -> Lanes {
    let isTiny = x .< .leastNormalMagnitude
    let scaled = bits(x.replacing(with: x * 0x1p23, where: isTiny))
    let rootHalf: UInt32 = 0x3F35_04F3
    let shifted = scaled &- rootHalf
    let exponent = SIMD16<Int32>(truncatingIfNeeded: shifted) &>> 23
    let f = numbers((shifted & 0x007F_FFFF) &+ rootHalf) - 1
    let e = Lanes(exponent) - Lanes(repeating: 0).replacing(with: 23, where: isTiny)
    var p = Lanes(repeating: 7.037_683_6292e-2)
    p = Lanes(repeating: -1.151_461_0310e-1).addingProduct(p, f)
    p = Lanes(repeating: 1.167_699_8740e-1).addingProduct(p, f)
    p = Lanes(repeating: -1.242_014_0846e-1).addingProduct(p, f)
    p = Lanes(repeating: 1.424_932_2787e-1).addingProduct(p, f)
    p = Lanes(repeating: -1.666_805_7665e-1).addingProduct(p, f)
    p = Lanes(repeating: 2.000_071_4765e-1).addingProduct(p, f)
    p = Lanes(repeating: -2.499_999_3993e-1).addingProduct(p, f)
    p = Lanes(repeating: 3.333_333_1174e-1).addingProduct(p, f)
    let square = f * f
    let tail = (p * f * square).addingProduct(e, Lanes(repeating: -2.121_944_40e-4))
    let result = (f + tail.addingProduct(square, Lanes(repeating: -0.5)))
      .addingProduct(e, Lanes(repeating: 0.693_359_375))
    return
      result
      .replacing(with: x + x, where: (x .< .infinity) .^ SIMDMask(repeating: true))
      .replacing(with: -.infinity, where: x .== 0)
      .replacing(with: .nan, where: x .< 0)
  }

  /// Error: at most 2 ulp.
  ///
  /// An odd polynomial below 0.625, else `1 - 2 / (e^2|x| + 1)` with the sign of x.
  ///
  /// Source: Moshier, Cephes Mathematical Library 2.2, `tanhf`.
  @inline(__always)
  package static func hyperbolicTangent(_ x: Lanes) -> Lanes {
    let size = magnitude(x)
    let square = x * x
    var p = Lanes(repeating: -5.704_988_72745e-3)
    p = Lanes(repeating: 2.063_908_87954e-2).addingProduct(p, square)
    p = Lanes(repeating: -5.373_971_55531e-2).addingProduct(p, square)
    p = Lanes(repeating: 1.333_144_22036e-1).addingProduct(p, square)
    p = Lanes(repeating: -3.333_328_19422e-1).addingProduct(p, square)
    let near = x.addingProduct(p * square, x)
    let far = 1 - 2 / (exponential(size + size) + 1)
    return near.replacing(with: withSign(of: x, far), where: 0.625 .< size)
  }

  /// Error: at most 2 ulp.
  ///
  /// An odd polynomial below 0.93, else `1 - e^q(|x|)` with the sign of x.
  ///
  /// Source: Juffa, "Efficient implementation of erff", 2015 (minimax polynomials).
  @inline(__always)
  package static func errorFunction(_ x: Lanes) -> Lanes {
    let size = magnitude(x)
    let square = x * x
    var p = Lanes(repeating: -5.967_617_03e-4)
    p = Lanes(repeating: 4.991_194_23e-3).addingProduct(p, square)
    p = Lanes(repeating: -2.676_813_49e-2).addingProduct(p, square)
    p = Lanes(repeating: 1.128_199_25e-1).addingProduct(p, square)
    p = Lanes(repeating: -3.761_253_36e-1).addingProduct(p, square)
    p = Lanes(repeating: 1.283_791_66e-1).addingProduct(p, square)
    let near = x.addingProduct(p, x)
    // From 4 on erf is 1 in Float.
    let t = size.replacing(with: 4, where: 4 .< size)
    var q = Lanes(repeating: 3.831_971_26e-4)
      .addingProduct(Lanes(repeating: -1.728_534_70e-5), t)
    let linear = Lanes(repeating: 2.425_462_19e-2)
      .addingProduct(Lanes(repeating: -3.883_964_38e-3), t)
    q = linear.addingProduct(q, t * t)
    q = Lanes(repeating: -1.067_778_77e-1).addingProduct(q, t)
    q = Lanes(repeating: -6.348_466_87e-1).addingProduct(q, t)
    q = Lanes(repeating: -1.287_175_12e-1).addingProduct(q, t)
    q = (-t).addingProduct(q, t)
    let far = 1 - exponential(q)
    return near.replacing(with: withSign(of: x, far), where: 0.927_734_375 .< size)
  }

  /// `k = round(x / ln 2)` and `r = x - k ln 2`; the constant is in two parts, so r is exact to an ulp.
  @inline(__always)
  private static func reducedExponent(_ x: Lanes) -> (k: SIMD16<Int32>, r: Lanes) {
    // Adding 1.5 * 2^23 leaves the rounded integer in the low bits.
    let magic = Lanes(repeating: 0x1.8p23)
    let shifted = magic.addingProduct(x, Lanes(repeating: 1.442_695_04))
    let k = shifted - magic
    let r = x.addingProduct(k, Lanes(repeating: -0.693_147_182_464_599_6))
      .addingProduct(k, Lanes(repeating: 1.904_654_323_148_236e-9))
    return (SIMD16<Int32>(truncatingIfNeeded: bits(shifted) &- bits(magic)), r)
  }

  /// `e^r - 1` for |r| <= ln 2 / 2.
  @inline(__always)
  private static func expansion(_ r: Lanes) -> Lanes {
    var p = Lanes(repeating: 1.987_569_15e-4)
    p = Lanes(repeating: 1.398_199_9507e-3).addingProduct(p, r)
    p = Lanes(repeating: 8.333_451_9073e-3).addingProduct(p, r)
    p = Lanes(repeating: 4.166_579_5894e-2).addingProduct(p, r)
    p = Lanes(repeating: 1.666_666_5459e-1).addingProduct(p, r)
    p = Lanes(repeating: 5.000_000_1201e-1).addingProduct(p, r)
    return r.addingProduct(p, r * r)
  }

  @inline(__always)
  private static func powerOfTwo(_ k: SIMD16<Int32>) -> Lanes {
    numbers(SIMD16<UInt32>(truncatingIfNeeded: (k &+ 127) &<< 23))
  }

  @inline(__always)
  private static func clamped(_ x: Lanes, from low: Float, to high: Float) -> Lanes {
    x.replacing(with: low, where: x .< low).replacing(with: high, where: high .< x)
  }

  /// The positive `size` with the sign of `x`.
  @inline(__always)
  private static func withSign(of x: Lanes, _ size: Lanes) -> Lanes {
    numbers(bits(size) | (bits(x) & SIMD16(repeating: 0x8000_0000)))
  }
}
