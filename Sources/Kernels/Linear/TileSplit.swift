// How an output is cut into tiles: pure arithmetic, no memory.

/// The largest tile whose accumulators stay in registers.
package enum TileLimits {
  /// Thirty-two registers of 64 bytes: AVX-512. Elsewhere one vector fills two or four registers.
  @inline(__always) static var isWide: Bool {
    InstructionSet.vectorBytes == 64 && InstructionSet.vectorRegisters == 32
  }
  package static var vectors: Int { isWide ? 2 : 1 }
  /// The most rows of any tile.
  static var mostRows: Int { isWide ? 16 : 6 }
  /// Lane products read two operands each; the memory they read from is slower than taller tiles.
  static var laneRows: Int { 6 }

  /// The rows of a tile of two vectors.
  ///
  /// Double certifies what Float trains: eight rows reach its peak and spare the compiler half its work.
  @inline(__always) static func rows<S: Scalar>(of type: S.Type) -> Int {
    hasTallTiles(of: type) ? 14 : isWide ? 8 : 6
  }

  /// The rows of a tile that covers all of `columns`: one accumulator each leaves registers for more.
  @inline(__always)
  static func rows<S: Scalar>(underColumns columns: Int, of type: S.Type) -> Int {
    hasTallTiles(of: type) && columns <= S.Vector.scalarCount ? mostRows : rows(of: type)
  }

  @inline(__always) static func hasTallTiles<S: Scalar>(of type: S.Type) -> Bool {
    isWide && MemoryLayout<S>.size == 4
  }
}

/// `length` things cut into the fewest parts of at most `limit`, as even as can be: 28 by 14 is 14 + 14,
/// 15 is 8 + 7.
package struct EvenSplit: Equatable, Sendable {
  package let length: Int
  package let partCount: Int
  /// Every part has this many; the first `longerCount` parts have one more.
  private let shortLength: Int
  private let longerCount: Int

  package init(_ length: Int, limit: Int) {
    self.length = length
    partCount = (length + limit - 1) / limit
    (shortLength, longerCount) = length.quotientAndRemainder(dividingBy: max(partCount, 1))
  }

  package subscript(_ part: Int) -> Range<Int> {
    let start = part * shortLength + min(part, longerCount)
    return Range(uncheckedBounds: (start, start + shortLength + (part < longerCount ? 1 : 0)))
  }
}

/// The columns of a product cut into panels as wide as a tile; the last may be narrower.
package struct PanelSplit: Equatable, Sendable {
  package let columns: Int
  package let lanes: Int
  package let vectors: Int

  package init<S: Scalar>(columns: Int, of type: S.Type, vectors: Int = TileLimits.vectors) {
    self.columns = columns
    lanes = S.Vector.scalarCount
    self.vectors = vectors
  }

  package var width: Int { lanes * vectors }
  package var count: Int { (columns + width - 1) / width }
  /// Columns with the padding of the last panel.
  package var paddedColumns: Int { (columns + lanes - 1) / lanes * lanes }

  package func validColumns(of panel: Int) -> Int { min(width, columns - panel * width) }
  package func vectors(of panel: Int) -> Int {
    (validColumns(of: panel) + lanes - 1) / lanes
  }
}
