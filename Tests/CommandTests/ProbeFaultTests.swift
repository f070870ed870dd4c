import Checkpoints
import Foundation
import Testing

/// Files for `probe` that do not fit the model.
@Suite("Bad files for probe", .serialized)
struct ProbeFaultTests {
  private let arguments = [
    "probe", "images.yaml", "--weights", "w.safetensors", "--inputs", "b.safetensors", "--output",
    "p.safetensors",
  ]

  /// Weights and inputs of two samples that fit `images.yaml`.
  private func command() throws -> Command {
    let command = try Command.images()
    let shapes = [
      ("layers.0.weight", [3, 1, 3, 3]), ("layers.0.bias", [3]), ("layers.3.weight", [4, 12]),
      ("layers.3.bias", [4]),
    ]
    try write(
      shapes.map { name, shape in
        NamedTensor(
          name: name, shape: shape, values: [Float](repeating: 0.1, count: shape.reduce(1, *)))
      }, to: "w", command)
    try write([Self.input([2, 4, 4, 1]), Self.target([3, 0])], to: "b", command)
    return command
  }

  private static func input(_ shape: [Int]) -> NamedTensor {
    NamedTensor(
      name: "input", shape: shape, values: [Float](repeating: 1, count: shape.reduce(1, *)))
  }

  private static func target(_ classes: [Int64]) -> NamedTensor {
    NamedTensor(name: "target", shape: [classes.count], values: classes)
  }

  private func write(_ tensors: [NamedTensor], to name: String, _ command: Command) throws {
    _ = try SafetensorsLayout(tensors).write(replacing: command.path("\(name).safetensors"))
  }

  @Test("files that fit")
  func fitting() throws {
    let command = try command()
    defer { command.remove() }
    let result = try command.run(arguments)
    #expect(result.status == 0 && result.errors == "" && result.output == "")
    let names = try SafetensorsFile(path: command.path("p.safetensors")).tensors.map(\.name)
    #expect(
      names.sorted() == [
        "gradient.input", "gradient.layers.0.bias", "gradient.layers.0.weight",
        "gradient.layers.3.bias", "gradient.layers.3.weight", "loss", "output",
      ])
  }

  @Test("weights of another model")
  func weights() throws {
    let command = try command()
    defer { command.remove() }
    try expectRefusal(
      command, arguments + ["model.layers.0.conv2d.filters=2"],
      """
      w.safetensors: the tensors are not those of this model; of another shape: layers.0.weight is [3, 1, 3, 3] in the file, [2, 1, 3, 3] in the model, layers.0.bias is [3] in the file, [2] in the model, layers.3.weight is [4, 12] in the file, [4, 8] in the model
        expected: the 4 tensors of the configured model
        to fix:   restore the model's configuration, choose another output.folder, or start over with --fresh
      """)
  }

  @Test("inputs of another shape")
  func inputs() throws {
    let command = try command()
    defer { command.remove() }
    try write([Self.input([2, 5, 4, 1]), Self.target([3, 0])], to: "b", command)
    try expectRefusal(
      command, arguments,
      """
      b.safetensors: input has shape [2, 5, 4, 1]
        expected: [N] + [4, 4, 1], N at least 1
        to fix:   store samples along the first dimension, channels last
      """)
  }

  @Test("classes beyond the model's outputs, or too few of them", arguments: [[3, 4], [3]])
  func classes(classes: [Int64]) throws {
    let command = try command()
    defer { command.remove() }
    try write([Self.input([2, 4, 4, 1]), Self.target(classes)], to: "b", command)
    try expectRefusal(
      command, arguments,
      """
      b.safetensors: target has \(classes.count) classes of 3 to \(classes.max() ?? 0)
        expected: 2 classes of 0 to 3
        to fix:   store one class number per sample
      """)
  }

  @Test("a file without a target")
  func noTarget() throws {
    let command = try command()
    defer { command.remove() }
    try write([Self.input([2, 4, 4, 1])], to: "b", command)
    try expectRefusal(
      command, arguments,
      """
      b.safetensors: the file has no tensor 'target'
        expected: one of its tensors: input
      """)
  }
}
