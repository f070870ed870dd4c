/// A tensor that training finds, or leaves as it is.
package struct Parameter: Equatable, Sendable {
  /// `layers.0.weight`
  package var name: String
  package var kind: ParameterKind
  package var layout: ParameterLayout
  package var initializer: Initializer
  package var fanIn: Int
  package var fanOut: Int
  /// A frozen one keeps its first value and has no gradient.
  package var isTrained = true

  package var elementCount: Int { layout.elementCount }
}

package enum ParameterKind: Sendable {
  case weight, bias, normScale, normShift
  /// Of a trained activation.
  case slope
}

/// State of a layer that is not trained: running means and variances.
package struct Statistic: Equatable, Sendable {
  package var name: String
  package var channels: Int
  package var initialValue: Double
  /// Weight of the newest value.
  package var momentum: Double
}

/// What a recurrent layer carries from each window of a sequence to the window after it.
package struct CarriedState: Equatable, Sendable {
  /// `layers.1.h_l0`
  package var name: String
  /// Numbers for each row of the batch.
  package var units: Int

  package init(name: String, units: Int) {
    self.name = name
    self.units = units
  }
}

/// How a tensor lies in memory and in files. Files have the order that PyTorch users know.
package enum ParameterLayout: Equatable, Sendable {
  case vector(Int)
  /// File `[units, inputs]`, memory `[inputs, units]`.
  case dense(inputs: Int, units: Int)
  /// File `[outputs, inputs, height, width]`, memory `[height, width, inputs, outputs]`.
  case convolution(height: Int, width: Int, inputs: Int, outputs: Int)
  /// File `[outputs, inputs, width]`, memory `[width, inputs, outputs]`.
  case convolution1d(width: Int, inputs: Int, outputs: Int)
  /// `[rows, columns]` in both.
  case table(rows: Int, columns: Int)

  package var fileShape: [Int] {
    switch self {
    case .vector(let count): [count]
    case .dense(let inputs, let units): [units, inputs]
    case .convolution(let height, let width, let inputs, let outputs):
      [outputs, inputs, height, width]
    case .convolution1d(let width, let inputs, let outputs): [outputs, inputs, width]
    case .table(let rows, let columns): [rows, columns]
    }
  }

  package var elementCount: Int { fileShape.reduce(1, *) }

  /// A file holds the tensor as `[A, B, C]`, memory as `[C, B, A]`; nil: both alike.
  package var fileAxes: (a: Int, b: Int, c: Int)? {
    switch self {
    case .vector, .table: nil
    case .dense(let inputs, let units): (units, 1, inputs)
    case .convolution(let height, let width, let inputs, let outputs):
      (outputs, inputs, height * width)
    case .convolution1d(let width, let inputs, let outputs): (outputs, inputs, width)
    }
  }
}
