import Storage

// Shapes: N samples; P rows and C columns of each sample's matrix.

/// Turns each sample's matrix over: `output[n, c, p] = input[n, p, c]`.
///
/// - Parameters:
///   - input: `[samples, rows, columns]`.
///   - output: `[samples, columns, rows]`; must not overlap `input`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func transpose<S: Scalar>(
  _ input: Block<S>, samples: Int, rows: Int, columns: Int, into output: Block<S>
) {
  for sample in 0..<samples {
    let source = input.base + sample * rows * columns
    let target = output.base + sample * rows * columns
    for column in 0..<columns {
      for row in 0..<rows { target[column * rows + row] = source[row * columns + column] }
    }
  }
}
