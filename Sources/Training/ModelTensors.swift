import Checkpoints
import Diagnostics
import Engine
import Graph
import Kernels
import Plan
import Storage

/// A model's numbers as files hold them: PyTorch's names and layouts.
extension ModelMemory where S: TensorNumber {
  /// Names and shapes of all tensors of the model's file.
  package var fileShapes: [TensorShape] {
    parameterList.map { TensorShape(name: $0.name, shape: $0.layout.fileShape) }
      + statisticList.map { TensorShape(name: $0.name, shape: [$0.channels]) }
  }

  /// Views of all parameters and statistics.
  ///
  /// - Parameters:
  ///   - parameters: The buffer to take instead of the trained one, such as an average.
  ///   - prefix: Stands before every name.
  package func tensors(
    parameters: Block<S>? = nil, statistics: Block<S>? = nil, prefix: String = ""
  ) -> [NamedTensor] {
    parameterTensors(parameters ?? self.parameters, prefix: prefix)
      + zip(statisticList, leaf.statistics).map { statistic, range in
        NamedTensor(
          name: prefix + statistic.name, shape: [statistic.channels],
          block: (statistics ?? self.statistics)[range])
      }
  }

  /// Views of a buffer that is laid out like the parameters: weights, averages, optimizer slots.
  ///
  /// - Parameter owner: Keeps the buffer alive where nobody else does.
  package func parameterTensors(
    _ buffer: Block<S>, prefix: String = "", owner: AnyObject? = nil
  ) -> [NamedTensor] {
    zip(parameterList, leaf.parameters).map { parameter, range in
      NamedTensor(
        name: prefix + parameter.name, shape: parameter.layout.fileShape,
        block: buffer[range], swappedAxes: parameter.layout.fileAxes, owner: owner)
    }
  }

  /// Fills parameters and statistics from a file's tensors, whose names and shapes are checked.
  ///
  /// - Parameter skips: Whether a tensor keeps its values.
  package func load(
    _ tensors: TensorTable, prefix: String = "", parameters: Block<S>? = nil,
    statistics: Block<S>? = nil, skipping skips: (_ name: String) -> Bool = { _ in false }
  ) throws {
    try loadParameters(
      tensors, prefix: prefix, into: parameters ?? self.parameters, skipping: skips)
    for (statistic, range) in zip(statisticList, leaf.statistics) where !skips(statistic.name) {
      let values = try tensors.values(prefix + statistic.name, as: S.self)
      values.withBlock { (statistics ?? self.statistics)[range].copy(from: $0) }
    }
  }

  /// Fills a buffer that is laid out like the parameters.
  package func loadParameters(
    _ tensors: TensorTable, prefix: String, into buffer: Block<S>,
    skipping skips: (_ name: String) -> Bool = { _ in false }
  ) throws {
    for (parameter, range) in zip(parameterList, leaf.parameters) where !skips(parameter.name) {
      let values = try tensors.values(prefix + parameter.name, as: S.self)
      values.withBlock { parameter.layout.fill(buffer[range], fromFileOrder: $0) }
    }
  }
}

/// Tensors by name, from one file.
package struct TensorTable {
  private let place: String
  private let tensors: [String: NamedTensor]

  package init(_ tensors: [NamedTensor], place: String) {
    self.place = place
    self.tensors = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
  }

  func contains(_ name: String) -> Bool { tensors[name] != nil }

  func values<S: BinaryFloatingPoint & TensorNumber>(
    _ name: String, as type: S.Type
  ) throws -> AlignedMemory<S> {
    guard let tensor = tensors[name] else {
      throw Diagnostic(
        place: place, problem: "there is no tensor \(name)",
        expected: "all tensors of the configured model",
        remedy: "use the file that was made with this configuration")
    }
    let memory = AlignedMemory<S>(count: tensor.elementCount)
    tensor.copy(into: memory.block)
    return memory
  }
}
