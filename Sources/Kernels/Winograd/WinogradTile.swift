// m outputs per side of a tile; n = m + 2 inputs.

/// Winograd's minimal filtering F(m x m, 3 x 3): `Y = A^T [(G g G^T) * (B^T d B)] A`, with n² products for
/// m² outputs where the definition takes 9 m².
///
/// Every function here is one of the matrices times a line of vectors. The gradient by the weights uses the
/// same matrices the other way round: `dg = G^T [(B^T d B) * (A dY A^T)] G`.
///
/// Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016, sections 4.1 to 4.3.
protocol WinogradTile {
  /// m
  static var outputs: Int { get }
  /// `B^T`: n to n.
  static func transformInput<S: Scalar>(_ d: VectorLine<S>, into v: VectorLine<S>)
  /// `G`: 3 to n.
  static func transformWeights<S: Scalar>(_ g: VectorLine<S>, into u: VectorLine<S>)
  /// `A^T`: n to m.
  static func gatherOutput<S: Scalar>(_ t: VectorLine<S>, into y: VectorLine<S>)
  /// `A`: m to n.
  static func spreadGradient<S: Scalar>(_ y: VectorLine<S>, into t: VectorLine<S>)
  /// `G^T`: n to 3.
  static func gatherWeightGradient<S: Scalar>(_ u: VectorLine<S>, into g: VectorLine<S>)
}

extension WinogradTile {
  /// n
  static var inputs: Int { outputs + 2 }
  /// n²
  static var products: Int { inputs * inputs }
}

/// Vectors that lie `stride` numbers apart.
struct VectorLine<S: Scalar> {
  let start: UnsafeMutablePointer<S>
  let stride: Int

  @inline(__always) init(_ start: UnsafeMutablePointer<S>, stride: Int) {
    self.start = start
    self.stride = stride
  }

  subscript(_ index: Int) -> S.Vector {
    @inline(__always) get {
      UnsafeRawPointer(start + index * stride).loadUnaligned(as: S.Vector.self)
    }
    @inline(__always) nonmutating set {
      UnsafeMutableRawPointer(start + index * stride).storeBytes(of: newValue, as: S.Vector.self)
    }
  }
}

extension Scalar {
  /// `a * factor + b`
  @inline(__always) static func add(_ a: Vector, times factor: Self, to b: Vector) -> Vector {
    multiplyAdd(a, Vector(repeating: factor), b)
  }

  @inline(__always) static func scale(_ a: Vector, by factor: Self) -> Vector {
    a * Vector(repeating: factor)
  }
}

/// F(2 x 2, 3 x 3): 16 products for 4 outputs, 2.25 times fewer; interpolates at 0, 1, -1 and infinity.
enum WinogradTile2: WinogradTile {
  static var outputs: Int { 2 }

  @inline(__always)
  static func transformInput<S: Scalar>(_ d: VectorLine<S>, into v: VectorLine<S>) {
    let (d0, d1, d2, d3) = (d[0], d[1], d[2], d[3])
    v[0] = d0 - d2
    v[1] = d1 + d2
    v[2] = d2 - d1
    v[3] = d1 - d3
  }

  @inline(__always)
  static func transformWeights<S: Scalar>(_ g: VectorLine<S>, into u: VectorLine<S>) {
    let (g0, g1, g2) = (g[0], g[1], g[2])
    let (even, odd) = (S.scale(g0 + g2, by: 0.5), S.scale(g1, by: 0.5))
    u[0] = g0
    u[1] = even + odd
    u[2] = even - odd
    u[3] = g2
  }

  @inline(__always)
  static func gatherOutput<S: Scalar>(_ t: VectorLine<S>, into y: VectorLine<S>) {
    let (t0, t1, t2, t3) = (t[0], t[1], t[2], t[3])
    y[0] = t0 + t1 + t2
    y[1] = t1 - t2 - t3
  }

  @inline(__always)
  static func spreadGradient<S: Scalar>(_ y: VectorLine<S>, into t: VectorLine<S>) {
    let (y0, y1) = (y[0], y[1])
    t[0] = y0
    t[1] = y0 + y1
    t[2] = y0 - y1
    t[3] = S.Vector(repeating: 0) - y1
  }

  @inline(__always)
  static func gatherWeightGradient<S: Scalar>(_ u: VectorLine<S>, into g: VectorLine<S>) {
    let (u0, u1, u2, u3) = (u[0], u[1], u[2], u[3])
    let half = S.scale(u1 + u2, by: 0.5)
    g[0] = u0 + half
    g[1] = S.scale(u1 - u2, by: 0.5)
    g[2] = half + u3
  }
}

/// F(4 x 4, 3 x 3): 36 products for 16 outputs, 4 times fewer; interpolates at 0, 1, -1, 2, -2 and infinity.
enum WinogradTile4: WinogradTile {
  static var outputs: Int { 4 }

  @inline(__always)
  static func transformInput<S: Scalar>(_ d: VectorLine<S>, into v: VectorLine<S>) {
    let (d0, d1, d2, d3, d4, d5) = (d[0], d[1], d[2], d[3], d[4], d[5])
    let (even4, odd4) = (S.add(d2, times: -4, to: d4), S.add(d1, times: -4, to: d3))
    let (even1, odd1) = (d4 - d2, S.scale(d3 - d1, by: 2))
    v[0] = S.add(d0, times: 4, to: S.add(d2, times: -5, to: d4))
    v[1] = even4 + odd4
    v[2] = even4 - odd4
    v[3] = even1 + odd1
    v[4] = even1 - odd1
    v[5] = S.add(d1, times: 4, to: S.add(d3, times: -5, to: d5))
  }

  @inline(__always)
  static func transformWeights<S: Scalar>(_ g: VectorLine<S>, into u: VectorLine<S>) {
    let (g0, g1, g2) = (g[0], g[1], g[2])
    let (outer, middle) = (S.scale(g0 + g2, by: -1 / 6), S.scale(g1, by: 1 / 6))
    let wide = S.add(g0, times: 1 / 24, to: S.scale(g2, by: 1 / 6))
    let half = S.scale(g1, by: 1 / 12)
    u[0] = S.scale(g0, by: 1 / 4)
    u[1] = outer - middle
    u[2] = outer + middle
    u[3] = wide + half
    u[4] = wide - half
    u[5] = g2
  }

  @inline(__always)
  static func gatherOutput<S: Scalar>(_ t: VectorLine<S>, into y: VectorLine<S>) {
    let (sum1, difference1) = (t[1] + t[2], t[1] - t[2])
    let (sum2, difference2) = (t[3] + t[4], t[3] - t[4])
    y[0] = t[0] + sum1 + sum2
    y[1] = S.add(difference2, times: 2, to: difference1)
    y[2] = S.add(sum2, times: 4, to: sum1)
    y[3] = S.add(difference2, times: 8, to: difference1) + t[5]
  }

  @inline(__always)
  static func spreadGradient<S: Scalar>(_ y: VectorLine<S>, into t: VectorLine<S>) {
    let (y0, y1, y2, y3) = (y[0], y[1], y[2], y[3])
    let (even1, odd1) = (y0 + y2, y1 + y3)
    let even2 = S.add(y2, times: 4, to: y0)
    let odd2 = S.scale(S.add(y3, times: 4, to: y1), by: 2)
    t[0] = y0
    t[1] = even1 + odd1
    t[2] = even1 - odd1
    t[3] = even2 + odd2
    t[4] = even2 - odd2
    t[5] = y3
  }

  @inline(__always)
  static func gatherWeightGradient<S: Scalar>(_ u: VectorLine<S>, into g: VectorLine<S>) {
    let (sum1, difference1) = (u[1] + u[2], u[2] - u[1])
    let (sum2, difference2) = (u[3] + u[4], u[3] - u[4])
    let wide = S.scale(sum2, by: 1 / 24)
    g[0] = S.add(u[0], times: 1 / 4, to: S.add(sum1, times: -1 / 6, to: wide))
    g[1] = S.add(difference1, times: 1 / 6, to: S.scale(difference2, by: 1 / 12))
    g[2] = S.add(sum2 - sum1, times: 1 / 6, to: u[5])
  }
}
