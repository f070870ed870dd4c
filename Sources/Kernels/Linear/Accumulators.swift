// A tile of the output held in registers, composed out of types instead of loops: a row is one or two
// vectors, and a stack of two groups of rows is again a group of rows. The optimiser sees straight-line
// code over plain values and keeps every accumulator in a register for the whole depth of a product.

/// The distance between rows of a left operand, and twice and three times as much.
///
/// The multiples are numbers of their own in memory. Told that they are multiples, the optimiser would
/// walk from row to row by one chain of additions, slower than the arithmetic it feeds.
struct RowStrides: Equatable, Sendable {
  let one: Int
  let two: Int
  let three: Int

  @inline(__always) init(_ stride: Int) {
    one = stride
    two = 2 * stride
    three = 3 * stride
  }

  @inline(__always) func offset(ofRow row: Int) -> Int {
    switch row {
    case 2: two
    case 3: three
    default: row * one
    }
  }
}

/// One row of a panel: the one or two vectors that lie side by side in it.
protocol PanelRow<Number>: Accumulators where Row == Self {
  /// Whether registers are left for four panel rows at a time: then a row's address serves four steps.
  static var unrollsDepth: Bool { get }
  /// Whether a step of a product along rows has room for fetching what later tiles read.
  static var readsAhead: Bool { get }

  init(at address: UnsafePointer<Number>)
}

/// A group of output rows, all as wide as one panel.
protocol Accumulators<Number> {
  associatedtype Number: Scalar
  associatedtype Row: PanelRow<Number>

  static var rowCount: Int { get }

  /// Row `r` starts as the vectors at `start + r * stride`.
  init(loading start: UnsafePointer<Number>, rowStride: Int)

  /// `self[r] += a[r * stride] * panel`, one number times a vector: matrix products.
  mutating func addProducts(_ a: UnsafePointer<Number>, _ strides: RowStrides, _ panel: Row)

  /// `self[r] += sum over k in 0..<4 of a[r * stride + k] * panels[k]`, in that order.
  mutating func addFourProducts(
    _ a: UnsafePointer<Number>, _ strides: RowStrides, _ p0: Row, _ p1: Row, _ p2: Row, _ p3: Row)

  /// `self[r] += (vectors at a + r * stride) * panel`, lane by lane: each channel by itself.
  mutating func addLaneProducts(_ a: UnsafePointer<Number>, _ strides: RowStrides, _ panel: Row)

  func store(to c: UnsafeMutablePointer<Number>, rowStride: Int)
}

/// One row of one vector.
struct OneVector<Number: Scalar>: PanelRow {
  typealias Row = Self
  typealias Vector = Number.Vector
  var first: Vector

  @inline(__always) static var unrollsDepth: Bool { TileLimits.isWide }
  @inline(__always) static var readsAhead: Bool { !TileLimits.isWide }
  @inline(__always) static var rowCount: Int { 1 }

  @inline(__always) init(at address: UnsafePointer<Number>) {
    first = UnsafeRawPointer(address).loadUnaligned(as: Vector.self)
  }

  @inline(__always) init(loading start: UnsafePointer<Number>, rowStride: Int) {
    self.init(at: start)
  }

  @inline(__always)
  mutating func addProducts(_ a: UnsafePointer<Number>, _ strides: RowStrides, _ panel: Self) {
    first.addProduct(Vector(repeating: a.pointee), panel.first)
  }

  @inline(__always)
  mutating func addFourProducts(
    _ a: UnsafePointer<Number>, _ strides: RowStrides, _ p0: Self, _ p1: Self, _ p2: Self,
    _ p3: Self
  ) {
    addProducts(a, strides, p0)
    addProducts(a + 1, strides, p1)
    addProducts(a + 2, strides, p2)
    addProducts(a + 3, strides, p3)
  }

  @inline(__always)
  mutating func addLaneProducts(_ a: UnsafePointer<Number>, _ strides: RowStrides, _ panel: Self) {
    first.addProduct(Self(at: a).first, panel.first)
  }

  @inline(__always) func store(to c: UnsafeMutablePointer<Number>, rowStride: Int) {
    UnsafeMutableRawPointer(c).storeBytes(of: first, as: Vector.self)
  }
}

/// One row of two vectors. Each number of `a` is broadcast once, used twice and dropped, which leaves
/// the registers to the accumulators.
struct TwoVectors<Number: Scalar>: PanelRow {
  typealias Row = Self
  typealias Vector = Number.Vector
  var first: Vector
  var second: Vector

  @inline(__always) static var unrollsDepth: Bool { false }
  @inline(__always) static var readsAhead: Bool { true }
  @inline(__always) static var rowCount: Int { 1 }

  @inline(__always) init(at address: UnsafePointer<Number>) {
    first = UnsafeRawPointer(address).loadUnaligned(as: Vector.self)
    second = UnsafeRawPointer(address + Vector.scalarCount).loadUnaligned(as: Vector.self)
  }

  @inline(__always) init(loading start: UnsafePointer<Number>, rowStride: Int) {
    self.init(at: start)
  }

  @inline(__always)
  mutating func addProducts(_ a: UnsafePointer<Number>, _ strides: RowStrides, _ panel: Self) {
    let broadcast = Vector(repeating: a.pointee)
    first.addProduct(broadcast, panel.first)
    second.addProduct(broadcast, panel.second)
  }

  @inline(__always)
  mutating func addFourProducts(
    _ a: UnsafePointer<Number>, _ strides: RowStrides, _ p0: Self, _ p1: Self, _ p2: Self,
    _ p3: Self
  ) {
    addProducts(a, strides, p0)
    addProducts(a + 1, strides, p1)
    addProducts(a + 2, strides, p2)
    addProducts(a + 3, strides, p3)
  }

  @inline(__always)
  mutating func addLaneProducts(_ a: UnsafePointer<Number>, _ strides: RowStrides, _ panel: Self) {
    let lanes = Self(at: a)
    first.addProduct(lanes.first, panel.first)
    second.addProduct(lanes.second, panel.second)
  }

  @inline(__always) func store(to c: UnsafeMutablePointer<Number>, rowStride: Int) {
    UnsafeMutableRawPointer(c).storeBytes(of: first, as: Vector.self)
    UnsafeMutableRawPointer(c + Vector.scalarCount).storeBytes(of: second, as: Vector.self)
  }
}

/// The rows of `Top` above the rows of `Bottom`.
struct Stack<Top: Accumulators, Bottom: Accumulators>: Accumulators where Top.Row == Bottom.Row {
  typealias Row = Top.Row
  typealias Number = Top.Row.Number
  var top: Top
  var bottom: Bottom

  @inline(__always) static var rowCount: Int { Top.rowCount + Bottom.rowCount }

  @inline(__always) init(loading start: UnsafePointer<Number>, rowStride: Int) {
    top = Top(loading: start, rowStride: rowStride)
    bottom = Bottom(loading: start + Top.rowCount * rowStride, rowStride: rowStride)
  }

  @inline(__always)
  mutating func addProducts(_ a: UnsafePointer<Number>, _ strides: RowStrides, _ panel: Row) {
    top.addProducts(a, strides, panel)
    bottom.addProducts(a + strides.offset(ofRow: Top.rowCount), strides, panel)
  }

  @inline(__always)
  mutating func addFourProducts(
    _ a: UnsafePointer<Number>, _ strides: RowStrides, _ p0: Row, _ p1: Row, _ p2: Row, _ p3: Row
  ) {
    top.addFourProducts(a, strides, p0, p1, p2, p3)
    bottom.addFourProducts(a + Top.rowCount * strides.one, strides, p0, p1, p2, p3)
  }

  @inline(__always)
  mutating func addLaneProducts(_ a: UnsafePointer<Number>, _ strides: RowStrides, _ panel: Row) {
    top.addLaneProducts(a, strides, panel)
    bottom.addLaneProducts(a + strides.offset(ofRow: Top.rowCount), strides, panel)
  }

  @inline(__always) func store(to c: UnsafeMutablePointer<Number>, rowStride: Int) {
    top.store(to: c, rowStride: rowStride)
    bottom.store(to: c + Top.rowCount * rowStride, rowStride: rowStride)
  }
}
