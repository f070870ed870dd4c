import Engine
import Foundation
import Graph
import Storage

/// Holds a layer with kinks on the pieces that the base point lies on: the piece of a relu on which every input is, the
/// winner of every window of a max pool. The loss is smooth then, with the gradient it has at the base point, however
/// many kinks lie near: differences step over them. What no gradient goes through is held as it was, too.
struct HeldKinks {
  private enum Kind {
    case activation(Activation)
    case prelu
    case maxPool(PoolGeometry)
    case stopGradient
  }

  private let operation: Graph.Operation
  private let kind: Kind
  /// Of every input the piece (0 the leftmost), or of every output the winning input.
  private var choices: [Int32] = []
  /// What a stopped value was.
  private var values: [Double] = []

  /// nil: the operation has no kinks that could be held.
  init?(_ operation: Graph.Operation) {
    switch operation.kind {
    case .activation(let activation) where activation.hasKinks: kind = .activation(activation)
    case .prelu: kind = .prelu
    case .maxPool(let geometry): kind = .maxPool(geometry)
    case .stopGradient: kind = .stopGradient
    default: return nil
    }
    self.operation = operation
  }

  /// Notes the pieces, before the operation runs.
  mutating func record(_ engine: ShardEngine<Double>, rows: Int) {
    let x = engine.block(operation.inputs[0]).array
    switch kind {
    case .activation(let activation): choices = x.map { activation.piece(at: $0) }
    case .prelu: choices = x.map { $0 > 0 ? 1 : 0 }
    case .maxPool(let geometry): choices = winners(geometry, images: rows, x)
    case .stopGradient: values = x
    }
  }

  /// The operation's output on the noted pieces.
  func run(_ engine: ShardEngine<Double>) {
    let x = engine.block(operation.inputs[0]).array
    let output = engine.block(operation.outputs[0])
    switch kind {
    case .activation(.relu):
      output.copy(from: zip(x, choices).map { $1 == 1 ? $0 : 0 })
    case .activation(let activation):
      output.copy(from: zip(x, choices).map { activation.value(at: $0, piece: $1) })
    case .prelu:
      let slope = engine.block(operation.inputs[1]).array
      let y = x.indices.map { choices[$0] == 1 ? x[$0] : slope[$0 % slope.count] * x[$0] }
      output.copy(from: y)
    case .maxPool: output.copy(from: choices.map { $0 < 0 ? 0 : x[Int($0)] })
    case .stopGradient: output.copy(from: values)
    }
  }

  /// Of equal inputs the first one wins, as in the kernel.
  private func winners(_ geometry: PoolGeometry, images: Int, _ x: [Double]) -> [Int32] {
    var winners: [Int32] = []
    winners.reserveCapacity(images * geometry.outputCount)
    for image in 0..<images {
      for row in 0..<geometry.vertical.output {
        let rows = geometry.vertical.inputs(ofOutput: row)
        for column in 0..<geometry.horizontal.output {
          let columns = geometry.horizontal.inputs(ofOutput: column)
          for channel in 0..<geometry.channels {
            var winner: Int32 = -1
            var largest = -Double.infinity
            for y in rows {
              for z in columns {
                let index =
                  image * geometry.inputCount
                  + (y * geometry.horizontal.input + z) * geometry.channels + channel
                if winner < 0 || x[index] > largest { (winner, largest) = (Int32(index), x[index]) }
              }
            }
            winners.append(winner)
          }
        }
      }
    }
    return winners
  }
}

extension WindowAxis {
  /// The inputs that an output sees, without the padding.
  fileprivate func inputs(ofOutput output: Int) -> Range<Int> {
    let first = output * stride - padBefore
    let start = min(max(first, 0), input)
    return start..<max(start, min(first + kernel, input))
  }
}

extension Activation {
  fileprivate var hasKinks: Bool {
    switch self {
    case .relu, .leakyRelu, .elu, .relu6, .hardSigmoid, .hardSwish: true
    case .identity, .sigmoid, .tanh, .gelu, .geluTanh, .silu, .softplus: false
    }
  }

  /// Which of its formulas holds at x.
  fileprivate func piece(at x: Double) -> Int32 {
    switch self {
    case .relu6: x <= 0 ? 0 : x < 6 ? 1 : 2
    case .hardSigmoid, .hardSwish: x <= -3 ? 0 : x < 3 ? 1 : 2
    default: x > 0 ? 1 : 0
    }
  }

  /// That formula at x, which need not lie on its piece.
  fileprivate func value(at x: Double, piece: Int32) -> Double {
    switch self {
    case .relu: piece == 1 ? x : 0
    case .leakyRelu(let slope): piece == 1 ? x : slope * x
    case .elu(let alpha): piece == 1 ? x : alpha * expm1(x)
    case .relu6: piece == 0 ? 0 : piece == 1 ? x : 6
    case .hardSigmoid: piece == 0 ? 0 : piece == 1 ? x / 6 + 0.5 : 1
    case .hardSwish: piece == 0 ? 0 : piece == 1 ? x * (x / 6 + 0.5) : x
    default: x
    }
  }
}
