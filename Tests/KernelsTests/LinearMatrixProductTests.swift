import Kernels
import Storage
import Testing

/// Where the operands of a product lie.
enum OperandLayout: CaseIterable, CustomTestStringConvertible {
  case plain, transposedA, transposedB, bothTransposed, spread

  var testDescription: String { "\(self)" }

  func strides(_ shape: MatrixShape) -> (aRow: Int, aDepth: Int, bDepth: Int, bColumn: Int) {
    let (m, n, k) = (max(shape.rows, 1), max(shape.columns, 1), max(shape.depth, 1))
    return switch self {
    case .plain: (k, 1, n, 1)
    case .transposedA: (1, m, n, 1)
    case .transposedB: (k, 1, 1, k)
    case .bothTransposed: (1, m, 1, k)
    case .spread: (2 * k, 2, 3 * n, 3)
    }
  }
}

@Suite struct LinearMatrixProductTests {
  static let shapes: [(Int, Int, Int)] = [
    (1, 1, 1), (0, 5, 3), (1, 33, 7), (7, 1, 5), (13, 17, 1), (15, 31, 19), (28, 32, 64),
    (29, 16, 11),
    (37, 97, 53), (61, 10, 300), (64, 80, 257), (225, 49, 40), (5, 1030, 9), (241, 130, 520),
    // Weights from memory, few rows against a depth of several blocks, a large result of few steps.
    (9, 1100, 260), (33, 530, 510), (12, 40, 2100), (520, 530, 9),
  ]

  @Test("a product equals plain loops", arguments: shapes, OperandLayout.allCases)
  func product(size: (Int, Int, Int), layout: OperandLayout) {
    let shape = MatrixShape(rows: size.0, columns: size.1, depth: size.2)
    check(shape, layout, of: Float.self)
    check(shape, layout, of: Double.self)
  }

  private func check<S: Scalar>(_ shape: MatrixShape, _ layout: OperandLayout, of type: S.Type) {
    let problem = ProductProblem<S>(shape, layout)
    let plain = problem.run()
    problem.expectation().expect(plain, depth: shape.depth)
    let bias: [S] = samples(shape.columns, seed: 5)
    problem.expectation(bias: bias).expect(problem.run(bias: bias), depth: shape.depth + 1)
    let old: [S] = samples(shape.rows * shape.columns, seed: 6)
    problem.expectation(old: old).expect(problem.run(old: old), depth: shape.depth + 1)
  }

  @Test("a row has the same bits whatever the other rows are", arguments: OperandLayout.allCases)
  func rowIndependence(layout: OperandLayout) {
    for (columns, depth) in [(10, 300), (33, 70), (64, 600), (150, 33), (600, 500)] {
      let many = ProductProblem<Float>(
        MatrixShape(rows: 37, columns: columns, depth: depth), layout)
      let together = many.run()
      for rows in [0..<1, 5..<6, 3..<19, 36..<37] {
        let alone = many.run(rows: rows)
        let same = Array(together[(rows.lowerBound * columns)..<(rows.upperBound * columns)])
        #expect(alone == same, "rows \(rows) of \(columns) columns, depth \(depth)")
      }
    }
  }

  @Test("rows of the result may lie apart; what is between them stays")
  func spacedResult() {
    let shape = MatrixShape(rows: 17, columns: 21, depth: 9)
    let problem = ProductProblem<Float>(shape, .plain)
    let c = FencedBlock<Float>(count: shape.rows * 25)
    let scratch = AlignedMemory<Float>(count: matrixProductScratchCount(shape, of: Float.self))
    matrixProduct(
      shape, a: problem.a.block, aRowStride: 9, aDepthStride: 1, b: problem.b.block,
      bDepthStride: 21, bColumnStride: 1, into: c.block, cRowStride: 25, scratch: scratch.block)
    let dense = problem.run()
    for row in 0..<shape.rows {
      #expect(
        Array(c.block.array[(row * 25)..<(row * 25 + 21)])
          == Array(dense[(row * 21)..<(row * 21 + 21)]))
      #expect(c.block.array[(row * 25 + 21)..<(row * 25 + 25)].allSatisfy { $0 == 7 })
    }
    #expect(c.fencesStand)
  }

  @Test("scratch for many rows serves fewer rows")
  func scratchGrows() {
    for columns in [1, 31, 1025] {
      var before = 0
      for rows in 0..<300 {
        let shape = MatrixShape(rows: rows, columns: columns, depth: 100)
        let count = matrixProductScratchCount(shape, of: Float.self)
        #expect(count >= before)
        before = count
      }
    }
  }
}

/// Operands of one product in one layout, and the loops that check it.
struct ProductProblem<S: Scalar> {
  let shape: MatrixShape
  let strides: (aRow: Int, aDepth: Int, bDepth: Int, bColumn: Int)
  let a: FencedBlock<S>
  let b: FencedBlock<S>

  init(_ shape: MatrixShape, _ layout: OperandLayout) {
    self.shape = shape
    strides = layout.strides(shape)
    let (m, n, k) = (shape.rows, shape.columns, shape.depth)
    a = FencedBlock(
      samples(max(0, m - 1) * strides.aRow + (k - 1) * strides.aDepth + 1, seed: 1))
    b = FencedBlock(samples((k - 1) * strides.bDepth + (n - 1) * strides.bColumn + 1, seed: 2))
  }

  func run(rows: Range<Int>? = nil, bias: [S]? = nil, old: [S]? = nil) -> [S] {
    let rows = rows ?? 0..<shape.rows
    let part = MatrixShape(rows: rows.count, columns: shape.columns, depth: shape.depth)
    let c = FencedBlock<S>(old ?? [S](repeating: 7, count: rows.count * shape.columns))
    let scratch = FencedBlock<S>(count: matrixProductScratchCount(part, of: S.self))
    let start = rows.lowerBound * strides.aRow
    let bias = bias.map { FencedBlock($0) }
    matrixProduct(
      part, a: a.block[start..<a.block.count], aRowStride: strides.aRow,
      aDepthStride: strides.aDepth, b: b.block, bDepthStride: strides.bDepth,
      bColumnStride: strides.bColumn, bias: bias?.block, into: c.block,
      cRowStride: shape.columns, accumulate: old != nil, scratch: scratch.block)
    #expect(bias?.fencesStand ?? true)
    #expect(c.fencesStand)
    #expect(scratch.fencesStand)
    return c.block.array
  }

  func expectation(bias: [S]? = nil, old: [S]? = nil) -> Expectation {
    let (a, b) = (a.block.array.map(Double.init), b.block.array.map(Double.init))
    var result = Expectation(values: [], magnitudes: [])
    for m in 0..<shape.rows {
      for n in 0..<shape.columns {
        let start = Double(bias?[n] ?? old?[m * shape.columns + n] ?? 0)
        var (value, magnitude) = (start, abs(start))
        for k in 0..<shape.depth {
          let product =
            a[m * strides.aRow + k * strides.aDepth] * b[k * strides.bDepth + n * strides.bColumn]
          value += product
          magnitude += abs(product)
        }
        result.values.append(value)
        result.magnitudes.append(magnitude)
      }
    }
    return result
  }
}
