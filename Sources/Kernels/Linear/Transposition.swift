/// Eight vectors of eight numbers: a square that is transposed between loads and stores.
struct Square<S: Scalar> {
  typealias Row = SIMD8<S>
  private var r0, r1, r2, r3, r4, r5, r6, r7: Row

  static var size: Int { 8 }

  @inline(__always) init(at source: UnsafePointer<S>, rowStride: Int) {
    r0 = Self.load(source)
    r1 = Self.load(source + rowStride)
    r2 = Self.load(source + 2 * rowStride)
    r3 = Self.load(source + 3 * rowStride)
    r4 = Self.load(source + 4 * rowStride)
    r5 = Self.load(source + 5 * rowStride)
    r6 = Self.load(source + 6 * rowStride)
    r7 = Self.load(source + 7 * rowStride)
  }

  @inline(__always) private static func load(_ address: UnsafePointer<S>) -> Row {
    UnsafeRawPointer(address).loadUnaligned(as: Row.self)
  }

  /// Stores column `i` of the loaded square as row `i`.
  @inline(__always)
  func storeTransposed(to target: UnsafeMutablePointer<S>, rowStride: Int) {
    let square = rotated().rotated().rotated()
    let rows = (
      square.r0, square.r1, square.r2, square.r3, square.r4, square.r5, square.r6, square.r7
    )
    Self.store(rows.0, target)
    Self.store(rows.1, target + rowStride)
    Self.store(rows.2, target + 2 * rowStride)
    Self.store(rows.3, target + 3 * rowStride)
    Self.store(rows.4, target + 4 * rowStride)
    Self.store(rows.5, target + 5 * rowStride)
    Self.store(rows.6, target + 6 * rowStride)
    Self.store(rows.7, target + 7 * rowStride)
  }

  @inline(__always) private static func store(_ row: Row, _ address: UnsafeMutablePointer<S>) {
    UnsafeMutableRawPointer(address).storeBytes(of: row, as: Row.self)
  }

  /// An element's place is six bits, three of its row and three of its column. Parting each pair of
  /// rows into even and odd columns rotates the six bits by one; three times swaps row and column.
  @inline(__always) private func rotated() -> Square {
    let (p0, p1) = (Self.join(r0, r1), Self.join(r2, r3))
    let (p2, p3) = (Self.join(r4, r5), Self.join(r6, r7))
    var result = self
    (result.r0, result.r1) = (p0.evenHalf, p1.evenHalf)
    (result.r2, result.r3) = (p2.evenHalf, p3.evenHalf)
    (result.r4, result.r5) = (p0.oddHalf, p1.oddHalf)
    (result.r6, result.r7) = (p2.oddHalf, p3.oddHalf)
    return result
  }

  @inline(__always) private static func join(_ low: Row, _ high: Row) -> SIMD16<S> {
    SIMD16(lowHalf: low, highHalf: high)
  }
}
