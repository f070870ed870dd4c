/// Eight rows of one vector each, turned over between loads and stores.
struct EightRows<S: Scalar> {
  private typealias Row = S.Vector
  private var r0, r1, r2, r3, r4, r5, r6, r7: Row

  static var rowCount: Int { 8 }
  static var columnCount: Int { S.Vector.scalarCount }

  @inline(__always) init(_ rows: EightAddresses<S>, at column: Int) {
    r0 = Self.load(rows.a0 + column)
    r1 = Self.load(rows.a1 + column)
    r2 = Self.load(rows.a2 + column)
    r3 = Self.load(rows.a3 + column)
    r4 = Self.load(rows.a4 + column)
    r5 = Self.load(rows.a5 + column)
    r6 = Self.load(rows.a6 + column)
    r7 = Self.load(rows.a7 + column)
  }

  @inline(__always) private static func load(_ address: UnsafePointer<S>) -> Row {
    UnsafeRawPointer(address).loadUnaligned(as: Row.self)
  }

  /// Stores the first `columns` columns, eight numbers each, `stride` apart.
  @inline(__always)
  func storeColumns(_ columns: Int, to target: UnsafeMutablePointer<S>, stride: Int) {
    let turned = turnedOver
    let step = Row.scalarCount / 8
    func store(_ vector: Row, _ index: Int) {
      let first = index * step
      S.storeEights(vector, to: target + first * stride, stride: stride, count: columns - first)
    }
    store(turned.r0, 0)
    store(turned.r1, 1)
    store(turned.r2, 2)
    store(turned.r3, 3)
    store(turned.r4, 4)
    store(turned.r5, 5)
    store(turned.r6, 6)
    store(turned.r7, 7)
  }

  /// The numbers in the order of the columns.
  ///
  /// A number's place is some bits of its row, then some of its column. Parting each pair of rows into
  /// even and odd columns rotates them by one; as many times as the column has bits brings it in front.
  @inline(__always) private var turnedOver: Self {
    let turned = rotated().rotated().rotated()
    return Row.scalarCount == 16 ? turned.rotated() : turned
  }

  @inline(__always) private func rotated() -> Self {
    var result = self
    (result.r0, result.r1) = (S.evenLanes(r0, r1), S.evenLanes(r2, r3))
    (result.r2, result.r3) = (S.evenLanes(r4, r5), S.evenLanes(r6, r7))
    (result.r4, result.r5) = (S.oddLanes(r0, r1), S.oddLanes(r2, r3))
    (result.r6, result.r7) = (S.oddLanes(r4, r5), S.oddLanes(r6, r7))
    return result
  }
}

/// Where eight rows start. For rows that are missing at the end the last one stands in.
struct EightAddresses<S: Scalar> {
  let a0, a1, a2, a3, a4, a5, a6, a7: UnsafePointer<S>

  @inline(__always)
  init(_ source: UnsafePointer<S>, rowStride: Int, first: Int, rowCount: Int) {
    func row(_ index: Int) -> UnsafePointer<S> {
      source + min(first + index, rowCount - 1) * rowStride
    }
    (a0, a1, a2, a3) = (row(0), row(1), row(2), row(3))
    (a4, a5, a6, a7) = (row(4), row(5), row(6), row(7))
  }
}

/// Turns `rows` rows of contiguous columns over: `target[column, row]`, columns `targetStride` apart.
///
/// Writes rows by eights, the last ones copies of others. They may run into the next column, which is
/// right in the end: its first rows are written after its neighbour's last.
/// May read a vector past the last row.
func turnOver<S: Scalar>(
  _ source: UnsafePointer<S>, rowStride: Int, rows: Int, columns: Int,
  into target: UnsafeMutablePointer<S>, targetStride: Int
) {
  let width = EightRows<S>.columnCount
  // Few enough columns that what they fill stays in L1 until the other rows have joined.
  let limit = 8 * width
  for start in stride(from: 0, to: columns, by: limit) {
    let end = min(start + limit, columns)
    let full = start + (end - start) / width * width
    var first = (rows - 1) / 8 * 8
    while first >= 0 {
      let addresses = EightAddresses(source, rowStride: rowStride, first: first, rowCount: rows)
      for column in stride(from: start, to: full, by: width) {
        EightRows(addresses, at: column).storeColumns(
          width, to: target + column * targetStride + first, stride: targetStride)
      }
      if full < end {
        EightRows(addresses, at: full).storeColumns(
          end - full, to: target + full * targetStride + first, stride: targetStride)
      }
      first -= 8
    }
  }
}
