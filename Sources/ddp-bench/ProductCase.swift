import Kernels
import Storage

/// A dense layer: `rows` samples from `inputs` to `outputs` features.
struct ProductCase {
  let rows: Int
  let outputs: Int
  let inputs: Int

  var name: String { "product \(rows) x \(outputs) x \(inputs)" }

  static var all: [ProductCase] {
    let cubes = [128, 256, 512, 1024, 2048].map { ProductCase(rows: $0, outputs: $0, inputs: $0) }
    let layers = [
      (8, 384, 128), (32, 256, 256), (64, 10, 256), (64, 512, 784), (128, 10, 256),
      (128, 128, 1568),
      (128, 256, 10), (128, 256, 512), (256, 128, 64), (512, 1024, 1024),
      (8, 4096, 4096), (32, 4096, 4096),
    ].map { ProductCase(rows: $0.0, outputs: $0.1, inputs: $0.2) }
    return cubes + layers
  }

  func measure<S: Scalar>(_ type: S.Type, _ stopwatch: Stopwatch) -> Speeds {
    let forward = MatrixShape(rows: rows, columns: outputs, depth: inputs)
    let byData = MatrixShape(rows: rows, columns: inputs, depth: outputs)
    let byWeights = MatrixShape(rows: inputs, columns: outputs, depth: rows)
    let scratch = AlignedMemory<S>(
      count: [forward, byData, byWeights].map { matrixProductScratchCount($0, of: S.self) }.max()
        ?? 0)
    let x = AlignedMemory<S>.pattern(count: rows * inputs)
    let y = AlignedMemory<S>.pattern(count: rows * outputs)
    let w = AlignedMemory<S>.pattern(count: inputs * outputs)
    let result = AlignedMemory<S>(count: max(x.block.count, y.block.count, w.block.count))
    let operations = 2 * Double(rows) * Double(outputs) * Double(inputs)
    return Speeds(
      forward: stopwatch.speed(operations: operations) {
        matrixProduct(
          forward, a: x.block, aRowStride: inputs, aDepthStride: 1, b: w.block,
          bDepthStride: outputs, bColumnStride: 1, into: result.block, cRowStride: outputs,
          scratch: scratch.block)
      },
      byData: stopwatch.speed(operations: operations) {
        matrixProduct(
          byData, a: y.block, aRowStride: outputs, aDepthStride: 1, b: w.block, bDepthStride: 1,
          bColumnStride: outputs, into: result.block, cRowStride: inputs, scratch: scratch.block)
      },
      byWeights: stopwatch.speed(operations: operations) {
        matrixProduct(
          byWeights, a: x.block, aRowStride: 1, aDepthStride: inputs, b: y.block,
          bDepthStride: outputs, bColumnStride: 1, into: result.block, cRowStride: outputs,
          scratch: scratch.block)
      })
  }
}

extension AlignedMemory where Element: Scalar {
  /// Small numbers of both signs.
  static func pattern(count: Int) -> AlignedMemory {
    let memory = AlignedMemory(count: count)
    for index in 0..<count { memory.block[index] = Element(index % 17 - 8) / 64 }
    return memory
  }
}
