/// A number with the vectors it comes in, and what kernels need of them beyond `+ - * /`.
///
/// In the standard library these operations of a generic `SIMD` are loops over lanes, which do not
/// reliably become single instructions again. The functions hold for every lane by itself, so a number's
/// result never depends on its neighbours. Not-a-number goes through all of them, and a comparison with
/// it is false.
package protocol VectorMath: BinaryFloatingPoint, SIMDScalar, Codable {
  /// 64 bytes of numbers: one register of AVX-512, two of AVX2, four of NEON.
  associatedtype Vector: SIMD where Vector.Scalar == Self

  /// `a * b + c`, rounded once.
  static func multiplyAdd(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector
  /// `a < b ? yes : no`
  static func ifLess(_ a: Vector, _ b: Vector, then yes: Vector, else no: Vector) -> Vector
  /// `a <= b ? yes : no`
  static func ifAtMost(_ a: Vector, _ b: Vector, then yes: Vector, else no: Vector) -> Vector
  /// `a == b ? yes : no`
  static func ifEqual(_ a: Vector, _ b: Vector, then yes: Vector, else no: Vector) -> Vector
  /// The lanes `0..<count` of `x`, the others of `rest`.
  static func firstLanes(_ count: Int, of x: Vector, else rest: Vector) -> Vector
  static func magnitude(_ x: Vector) -> Vector
  static func squareRoot(_ x: Vector) -> Vector

  /// The even lanes of `a`, then those of `b`.
  static func evenLanes(_ a: Vector, _ b: Vector) -> Vector
  /// The odd lanes of `a`, then those of `b`.
  static func oddLanes(_ a: Vector, _ b: Vector) -> Vector
  /// Writes lanes eight by eight to places `stride` apart, at most `count` of them.
  static func storeEights(
    _ x: Vector, to target: UnsafeMutablePointer<Self>, stride: Int, count: Int)

  /// The sum of all lanes, as a balanced tree of halves.
  static func sum(_ x: Vector) -> Self
  /// The largest lane; what it is when a lane is not a number is left open.
  static func largest(_ x: Vector) -> Self
  /// Writes the first `count` lanes, and nothing beyond them.
  static func store(_ x: Vector, to target: UnsafeMutablePointer<Self>, count: Int)

  /// `e^x`
  static func exponential(_ x: Vector) -> Vector
  /// `e^x - 1`, accurate near zero; for x <= 0 (a larger x than 88 counts as 88).
  static func exponentialMinusOne(_ x: Vector) -> Vector
  /// `ln x`
  static func logarithm(_ x: Vector) -> Vector
  static func hyperbolicTangent(_ x: Vector) -> Vector
  /// `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to x.
  static func errorFunction(_ x: Vector) -> Vector

  /// Sixteen neighbours as Doubles.
  static func sixteenDoubles(at source: UnsafePointer<Self>) -> (SIMD8<Double>, SIMD8<Double>)
  /// Sixteen neighbours times `factor`, but 0 where the lane of `bits` is below `threshold`.
  static func dropSixteen(
    _ source: UnsafePointer<Self>, bits: SIMD16<UInt32>, below threshold: UInt32, factor: Self,
    into target: UnsafeMutablePointer<Self>)
}
