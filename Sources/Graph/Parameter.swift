/// A trained tensor.
package struct Parameter: Equatable, Sendable {
  /// `layers.0.weight`
  package var name: String
  package var kind: ParameterKind
  package var layout: ParameterLayout
  package var initializer: Initializer
  package var fanIn: Int
  package var fanOut: Int

  package var elementCount: Int { layout.elementCount }
}

package enum ParameterKind: Sendable {
  case weight, bias, normScale, normShift
}

/// State of a layer that is not trained: running means and variances.
package struct Statistic: Equatable, Sendable {
  package var name: String
  package var channels: Int
  package var initialValue: Double
  /// Weight of the newest value.
  package var momentum: Double
}

/// How a tensor lies in memory and in files. Files have the order that PyTorch users know.
package enum ParameterLayout: Equatable, Sendable {
  case vector(Int)
  /// File `[units, inputs]`, memory `[inputs, units]`.
  case dense(inputs: Int, units: Int)
  /// File `[outputs, inputs, height, width]`, memory `[height, width, inputs, outputs]`.
  case convolution(height: Int, width: Int, inputs: Int, outputs: Int)

  package var fileShape: [Int] {
    switch self {
    case .vector(let count): [count]
    case .dense(let inputs, let units): [units, inputs]
    case .convolution(let height, let width, let inputs, let outputs):
      [outputs, inputs, height, width]
    }
  }

  package var elementCount: Int { fileShape.reduce(1, *) }

  /// Rearranges elements from file order to memory order.
  package func memoryOrder<Element>(fromFile file: [Element]) -> [Element] {
    precondition(file.count == elementCount, "\(file.count) elements for \(fileShape)")
    switch self {
    case .vector: return file
    case .dense(let inputs, let units):
      return transposed(file, rows: units, columns: inputs)
    case .convolution(let height, let width, let inputs, let outputs):
      return transposed(file, rows: outputs * inputs, columns: height * width)
        .chunked(by: outputs * inputs)
        .flatMap { transposed($0, rows: outputs, columns: inputs) }
    }
  }

  /// Rearranges elements from memory order to file order.
  package func fileOrder<Element>(fromMemory memory: [Element]) -> [Element] {
    precondition(memory.count == elementCount, "\(memory.count) elements for \(fileShape)")
    switch self {
    case .vector: return memory
    case .dense(let inputs, let units):
      return transposed(memory, rows: inputs, columns: units)
    case .convolution(let height, let width, let inputs, let outputs):
      let tapByTap = memory.chunked(by: outputs * inputs)
        .flatMap { transposed($0, rows: inputs, columns: outputs) }
      return transposed(tapByTap, rows: height * width, columns: outputs * inputs)
    }
  }
}

/// `[rows, columns]` as `[columns, rows]`.
private func transposed<Element>(_ source: [Element], rows: Int, columns: Int) -> [Element] {
  var target: [Element] = []
  target.reserveCapacity(source.count)
  for column in 0..<columns {
    for row in 0..<rows { target.append(source[row * columns + column]) }
  }
  return target
}

extension Array {
  fileprivate func chunked(by length: Int) -> [[Element]] {
    stride(from: 0, to: count, by: Swift.max(length, 1)).map { Array(self[$0..<$0 + length]) }
  }
}
