import Graph
import Kernels
import Storage

extension ShardEngine {
  func runPool(_ index: Int) {
    let x = input(index, 0)
    let y = output(index)
    switch operations[index].kind {
    case .maxPool(let geometry): maxPool(geometry, images: rows, input: x, into: y)
    case .maxPoolGradient(let geometry):
      maxPoolGradient(geometry, images: rows, input: x, outputGradient: input(index, 1), into: y)
    case .averagePool(let geometry): averagePool(geometry, images: rows, input: x, into: y)
    case .averagePoolGradient(let geometry):
      averagePoolGradient(geometry, images: rows, outputGradient: x, into: y)
    case .globalAveragePool(let positions, let channels):
      globalAveragePool(
        images: rows, positions: positions, channels: channels, input: x, into: y)
    case .globalAveragePoolGradient(let positions, let channels):
      globalAveragePoolGradient(
        images: rows, positions: positions, channels: channels, outputGradient: x, into: y)
    default: preconditionFailure("\(operations[index].kind.name) is no pooling")
    }
  }
}
