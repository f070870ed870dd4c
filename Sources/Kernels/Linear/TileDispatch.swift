// From a number of rows and vectors to the type that holds them.

private typealias Rows2<R: PanelRow> = Stack<R, R>
private typealias Rows3<R: PanelRow> = Stack<Rows2<R>, R>
private typealias Rows4<R: PanelRow> = Stack<Rows2<R>, Rows2<R>>
private typealias Rows5<R: PanelRow> = Stack<Rows3<R>, Rows2<R>>
private typealias Rows6<R: PanelRow> = Stack<Rows3<R>, Rows3<R>>
private typealias Rows7<R: PanelRow> = Stack<Rows4<R>, Rows3<R>>
private typealias Rows8<R: PanelRow> = Stack<Rows4<R>, Rows4<R>>
private typealias Rows9<R: PanelRow> = Stack<Rows5<R>, Rows4<R>>
private typealias Rows10<R: PanelRow> = Stack<Rows5<R>, Rows5<R>>
private typealias Rows11<R: PanelRow> = Stack<Rows6<R>, Rows5<R>>
private typealias Rows12<R: PanelRow> = Stack<Rows6<R>, Rows6<R>>
private typealias Rows13<R: PanelRow> = Stack<Rows7<R>, Rows6<R>>
private typealias Rows14<R: PanelRow> = Stack<Rows7<R>, Rows7<R>>
private typealias Rows15<R: PanelRow> = Stack<Rows8<R>, Rows7<R>>
private typealias Rows16<R: PanelRow> = Stack<Rows8<R>, Rows8<R>>

/// Computes one tile of `rows` rows by `vectors` full vectors.
func computeTile<S: Scalar>(
  _ operation: TileOperation, rows: Int, vectors: Int, _ operands: TileOperands<S>
) {
  if TileLimits.isWide && vectors == 2 {
    computeTile(operation, rows: rows, of: TwoVectors<S>.self, operands)
  } else {
    computeTile(operation, rows: rows, of: OneVector<S>.self, operands)
  }
}

@inline(__always)
private func computeTile<R: PanelRow>(
  _ operation: TileOperation, rows: Int, of row: R.Type, _ operands: TileOperands<R.Number>
) {
  switch rows {
  case 1: computeTile(operation, R.self, operands)
  case 2: computeTile(operation, Rows2<R>.self, operands)
  case 3: computeTile(operation, Rows3<R>.self, operands)
  case 4: computeTile(operation, Rows4<R>.self, operands)
  case 5: computeTile(operation, Rows5<R>.self, operands)
  case 6: computeTile(operation, Rows6<R>.self, operands)
  default:
    guard TileLimits.isWide else { preconditionFailure("a tile of \(rows) rows") }
    computeTallTile(operation, rows: rows, of: row, operands)
  }
}

/// More rows than the accumulators of sixteen registers can hold: products only.
@inline(__always)
private func computeTallTile<R: PanelRow>(
  _ operation: TileOperation, rows: Int, of row: R.Type, _ operands: TileOperands<R.Number>
) {
  switch rows {
  case 7: computeProducts(operation, Rows7<R>.self, operands)
  case 8: computeProducts(operation, Rows8<R>.self, operands)
  default:
    guard TileLimits.hasTallTiles(of: R.Number.self) else {
      preconditionFailure("a tile of \(rows) rows")
    }
    computeTallerTile(operation, rows: rows, of: row, operands)
  }
}

@inline(__always)
private func computeTallerTile<R: PanelRow>(
  _ operation: TileOperation, rows: Int, of row: R.Type, _ operands: TileOperands<R.Number>
) {
  switch rows {
  case 9: computeProducts(operation, Rows9<R>.self, operands)
  case 10: computeProducts(operation, Rows10<R>.self, operands)
  case 11: computeProducts(operation, Rows11<R>.self, operands)
  case 12: computeProducts(operation, Rows12<R>.self, operands)
  case 13: computeProducts(operation, Rows13<R>.self, operands)
  case 14: computeProducts(operation, Rows14<R>.self, operands)
  default: computeNarrowTile(operation, rows: rows, OneVector<R.Number>.self, operands)
  }
}

/// More rows than two vectors each leave registers for.
@inline(__always)
private func computeNarrowTile<S: Scalar>(
  _ operation: TileOperation, rows: Int, _ row: OneVector<S>.Type, _ operands: TileOperands<S>
) {
  if rows == 15 {
    computeProducts(operation, Rows15<OneVector<S>>.self, operands)
  } else {
    computeProducts(operation, Rows16<OneVector<S>>.self, operands)
  }
}

@inline(__always)
private func computeTile<A: Accumulators>(
  _ operation: TileOperation, _ rows: A.Type, _ operands: TileOperands<A.Number>
) where A.Number == A.Row.Number {
  if operation == .laneProducts {
    multiplyLanes(rows, operands)
  } else {
    computeProducts(operation, rows, operands)
  }
}

@inline(__always)
private func computeProducts<A: Accumulators>(
  _ operation: TileOperation, _ rows: A.Type, _ operands: TileOperands<A.Number>
) where A.Number == A.Row.Number {
  if operation == .productsAlongDepth {
    multiplyAlongDepth(rows, operands)
  } else {
    multiplyAlongRows(rows, operands)
  }
}
