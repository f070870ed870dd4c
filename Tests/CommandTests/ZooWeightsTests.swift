import Checkpoints
import Foundation
import Storage
import Testing

/// `ddp-train import` and `export` with torchvision's names, and the networks against torchvision's own outputs;
/// `Golden/golden_zoo.py` made the numbers and says how.
@Suite("The zoo against torchvision", .serialized)
struct ZooWeightsTests {
  struct Case: Decodable, CustomTestStringConvertible, Sendable {
    var network: String
    var tensors: [String: [Int]]
    /// Sum, sum of squares, sum weighted by cos k.
    var output: [Double]

    var testDescription: String { network }
    var byteCount: Int { tensors.values.reduce(0) { $0 + 8 * $1.reduce(1, *) } }
  }

  static let cases: [Case] = {
    let path = GoldenNetworkTests.folder.appendingPathComponent("zoo.json")
    let data = try? Data(contentsOf: path)
    return data.flatMap { try? JSONDecoder().decode([Case].self, from: $0) } ?? []
  }()

  /// Those whose weights are written in a moment.
  static let small = cases.filter { $0.byteCount < 100_000_000 }

  @Test("the golden file has the seven networks that torchvision has")
  func golden() {
    #expect(Self.cases.count == 7)
    #expect(
      Set(Self.small.map(\.network)) == [
        "googlenet", "resnet-18", "mobilenet-v2", "efficientnet-b0",
      ])
  }

  @Test(
    "imported weights give torchvision's output, and exported ones have its names", arguments: small
  )
  func weights(example: Case) throws {
    let command = try Command()
    defer { command.remove() }
    let path = { (name: String) in command.folder.appendingPathComponent(name).path }
    try writeWeights(example, to: path("theirs.safetensors"))
    try writeInputs(to: path("b.safetensors"))
    let arguments = [example.network, "--weights"]
    let imported = try command.run(
      ["import"] + arguments + ["theirs.safetensors", "--output", "ours.safetensors"])
    try #require(imported.status == 0, "\(imported.errors)")
    #expect(
      imported.output == "\(example.tensors.count) tensors in ours.safetensors\n")
    // Double to the rounding of sums, Float to 1e-4 of the output's size.
    for (scalar, tolerance) in [("float64", 1e-9), ("float32", 1e-4)] {
      let probe = try command.run(
        ["probe", example.network, "model.input=[64, 64, 3]", "--weights", "ours.safetensors"]
          + ["--inputs", "b.safetensors", "--output", "p.safetensors", "--evaluate"]
          + ["--scalar", scalar])
      try #require(probe.status == 0, "\(probe.errors)")
      try compare(SafetensorsFile(path: path("p.safetensors")), example, tolerance)
    }
    let exported = try command.run(
      ["export"] + arguments + ["ours.safetensors", "--output", "again.safetensors"])
    try #require(exported.status == 0, "\(exported.errors)")
    let (first, again) = (
      FileManager.default.contents(atPath: path("theirs.safetensors")),
      FileManager.default.contents(atPath: path("again.safetensors"))
    )
    #expect(first == again)
  }

  private func compare(_ probe: SafetensorsFile, _ example: Case, _ tolerance: Double) throws {
    let values = try probe.doubles("output")
    let sums = [
      values.reduce(0, +), values.reduce(0) { $0 + $1 * $1 },
      values.enumerated().reduce(0) { $0 + $1.element * cos(Double($1.offset)) },
    ]
    let size = example.output[1].squareRoot() * Double(values.count).squareRoot()
    for (part, pair) in zip(sums, example.output).enumerated() {
      let allowed = tolerance * (part == 1 ? 2 * example.output[1] : size)
      #expect(
        abs(pair.0 - pair.1) <= allowed, "part \(part): \(pair.0), torchvision \(pair.1)")
    }
  }

  @Test("weights of another network are refused, with every difference")
  func otherNetwork() throws {
    let command = try Command()
    defer { command.remove() }
    let example = try #require(Self.small.first { $0.network == "mobilenet-v2" })
    var cut = example
    cut.tensors["classifier.1.bias"] = [10]
    cut.tensors["features.18.1.running_mean"] = nil
    cut.tensors["classifier.2.bias"] = [3]
    try writeWeights(cut, to: command.folder.appendingPathComponent("w.safetensors").path)
    let result = try command.run(
      ["import", "mobilenet-v2", "--weights", "w.safetensors", "--output", "o.safetensors"])
    #expect(result.status == 2)
    #expect(
      result.errors == """
        w.safetensors: classifier.1.bias has shape [10]
          expected: [1000], as layers.11.bias has
          to fix:   use weights of this network, or correct the names
        w.safetensors: there is no tensor features.18.1.running_mean for layers.8.1.running_mean
          expected: a tensor of shape [1280]
          to fix:   name features.0.1.running_mean in its place, if that is the one

        """)
  }

  /// Networks whose weights would take a while to write: a line of the names for every tensor, as the fault shows.
  @Test("the names cover the large networks too", arguments: ["alexnet", "vgg-16", "resnet-50"])
  func covered(name: String) throws {
    let command = try Command()
    defer { command.remove() }
    let example = try #require(Self.cases.first { $0.network == name })
    let empty = SafetensorsLayout([NamedTensor(name: "x", shape: [1], values: [Float(0)])])
    try empty.write(replacing: command.folder.appendingPathComponent("w.safetensors").path)
    let result = try command.run(
      ["import", name, "--weights", "w.safetensors", "--output", "o.safetensors"])
    #expect(result.status == 2)
    let wanted = result.errors.split(separator: "\n").compactMap { line in
      line.split(separator: " tensor ").last?.split(separator: " for ").first.map(String.init)
    }.filter { example.tensors[$0] != nil }
    #expect(Set(wanted) == Set(example.tensors.keys))
  }

  @Test("names that cannot be are refused")
  func faults() throws {
    let command = try Command()
    defer { command.remove() }
    try "heads:\n  layers.{k}: a{n}\n  layers.1.: b\ntail: {}\n".write(
      toFile: command.folder.appendingPathComponent("n.names").path, atomically: true,
      encoding: .utf8)
    let result = try command.run(
      ["import", "lenet-5", "--names", "n.names", "--weights", "w", "--output", "o"])
    #expect(result.status == 2)
    #expect(
      result.errors == """
        n.names:2:3: layers.{k}: a{n} is no pair of names
          expected: words and numbers in braces, such as layers.{s}.0: layer{s-2}.0
          to fix:   close every brace, and name on the right only what stands on the left
        n.names:3:3: layers.1.: b is no pair of names
          expected: words and numbers in braces, such as layers.{s}.0: layer{s-2}.0
          to fix:   close every brace, and name on the right only what stands on the left
        n.names:4:1: unknown key tail
          expected: one of heads, tails
          to fix:   write tails instead of tail

        """)
  }

  private func writeWeights(_ example: Case, to path: String) throws {
    let tensors = example.tensors.sorted { $0.key < $1.key }.enumerated().map { index, entry in
      let (name, shape) = entry
      var values = (0..<shape.reduce(1, *)).map {
        sin(0.7 * Double($0) + 1.3 * Double(index) + 0.1)
      }
      if shape.count > 1 {
        let factor = (4 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
        values = values.map { $0 * factor }
      } else if name.hasSuffix(".weight") || name.hasSuffix(".running_var") {
        values = values.map { 1 + 0.2 * $0 }
      } else {
        values = values.map { 0.1 * $0 }
      }
      return NamedTensor(name: name, shape: shape, values: values)
    }
    _ = try SafetensorsLayout(tensors).write(replacing: path)
  }

  private func writeInputs(to path: String) throws {
    let values = (0..<2 * 64 * 64 * 3).map { 1.5 * sin(0.37 * Double($0) + 0.2) }
    let tensors = [
      NamedTensor(name: "input", shape: [2, 64, 64, 3], values: values),
      NamedTensor(name: "target", shape: [2], values: [Int64(1), 2]),
    ]
    _ = try SafetensorsLayout(tensors).write(replacing: path)
  }
}
