import Checkpoints
import Foundation
import Storage
import Testing

/// `ddp-train probe` against PyTorch's numbers; `Golden/golden_networks.py` made them and says how.
@Suite("Probe against PyTorch", .serialized)
struct GoldenNetworkTests {
  struct Case: Decodable, CustomTestStringConvertible, Sendable {
    var network: String
    var training: Bool
    var samples: Int
    var outputs: Int
    /// Steps of a sample that have outputs and a class each.
    var answers: Int
    /// Inputs are tokens below it.
    var vocabulary: Int?
    /// Whether inputs are zeros behind each sample's length.
    var padded: Bool
    /// The class of steps that do not count.
    var ignored: Int?
    /// 2: the results are those of a second window, which goes on with the states that the first one left.
    var windows: Int
    var target: String
    var tensors: [String: [Int]]
    var digests: [String: [Double]]
    /// How far PyTorch's own Float is off, for results that are the small rest of large terms.
    var float32: [String: Double]

    var testDescription: String { "\(network), \(training ? "training" : "evaluation") mode" }
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden")

  static let cases: [Case] = {
    let data = try? Data(contentsOf: folder.appendingPathComponent("networks.json"))
    return data.flatMap { try? JSONDecoder().decode([Case].self, from: $0) } ?? []
  }()

  @Test("the golden file is there and has at least six networks in both modes")
  func golden() {
    #expect(Set(Self.cases.map(\.network)).count >= 6)
    #expect(Self.cases.count { $0.training } * 2 == Self.cases.count)
  }

  @Test("Double to 1e-10", arguments: cases)
  func double(example: Case) throws {
    try compare(example, scalar: "float64") { _ in 1e-10 }
  }

  @Test("Float to 1e-5, or twice what PyTorch's own Float is off", arguments: cases)
  func float(example: Case) throws {
    try compare(example, scalar: "float32") { max(1e-5, 2 * (example.float32[$0] ?? 0)) }
  }

  @Test(
    "Double to 1e-10 with the operations that batch norm over several ranks is made of",
    arguments: cases.filter { $0.network == "batchnorm" && $0.training })
  func wholeBatch(example: Case) throws {
    try compare(example, scalar: "float64", ["model.batch_norm_statistics=batch"]) { _ in 1e-10 }
  }

  private func compare(
    _ example: Case, scalar: String, _ more: [String] = [], tolerance: (_ name: String) -> Double
  ) throws {
    let command = try Command()
    defer { command.remove() }
    try writeWeights(example, to: command.folder.appendingPathComponent("w.safetensors").path)
    let input = try inputShape(of: example)
    var newest: SafetensorsFile?
    for window in 0..<example.windows {
      let states = newest?.tensors.filter { $0.name.hasPrefix("carried.") } ?? []
      #expect(window == 0 || !states.isEmpty)
      try writeInputs(
        example, input, window: window, states,
        to: command.folder.appendingPathComponent("b.safetensors").path)
      let result = try command.run(
        [
          "probe", Self.folder.appendingPathComponent("networks/\(example.network).yaml").path,
        ] + more + [
          "--weights", "w.safetensors", "--inputs", "b.safetensors", "--output",
          "p\(window).safetensors", "--scalar", scalar,
          example.training ? "--train" : "--evaluate",
        ])
      try #require(result.status == 0, "\(result.errors)")
      newest = try SafetensorsFile(
        path: command.folder.appendingPathComponent("p\(window).safetensors").path)
    }
    let probe = try #require(newest)
    for (name, expected) in example.digests {
      let values = try probe.doubles(name)
      let found = digest(values)
      // A sum of n numbers of size s may be off by tolerance * s * sqrt(n).
      let scale = max(expected[1].squareRoot() * Double(values.count).squareRoot(), 1e-12)
      for (part, pair) in zip(found, expected).enumerated() {
        let allowed = tolerance(name) * (part == 1 ? 2 * max(expected[1], 1e-12) : scale)
        #expect(
          abs(pair.0 - pair.1) <= allowed, "\(name), part \(part): \(pair.0), PyTorch \(pair.1)")
      }
    }
  }

  private func digest(_ values: [Double]) -> [Double] {
    [
      values.reduce(0, +), values.reduce(0) { $0 + $1 * $1 },
      values.enumerated().reduce(0) { $0 + $1.element * cos(Double($1.offset)) },
    ]
  }

  /// The formulas of the Python script.
  private func wave(_ count: Int, _ shift: Double, scale: Double = 0.3, step: Double = 0.7)
    -> [Double]
  {
    (0..<count).map { scale * sin(step * Double($0) + shift) }
  }

  private func writeWeights(_ example: Case, to path: String) throws {
    let tensors = example.tensors.sorted { $0.key < $1.key }.enumerated().map { index, entry in
      let (name, shape) = entry
      var values = wave(shape.reduce(1, *), 1.3 * Double(index) + 0.1)
      let parent = name.split(separator: ".").dropLast().joined(separator: ".")
      let hasStatistics = example.tensors["\(parent).running_mean"] != nil
      let isScale = name.hasSuffix(".weight") && (hasStatistics || shape.count == 1)
      if isScale || name.hasSuffix(".running_var") { values = values.map { 1 + $0 / 1.5 } }
      return NamedTensor(name: name, shape: shape, values: values)
    }
    _ = try SafetensorsLayout(tensors).write(replacing: path)
  }

  private func inputShape(of example: Case) throws -> [Int] {
    let path = Self.folder.appendingPathComponent("networks/\(example.network).yaml")
    let text = try String(contentsOf: path, encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("  input: ") })
    let shapes = line.split(separator: "[").dropFirst().map { list in
      list.prefix { $0 != "]" }.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
    }
    return shapes.count == 1 ? shapes[0] : [shapes.reduce(0) { $0 + $1.reduce(1, *) }]
  }

  private func writeInputs(
    _ example: Case, _ input: [Int], window: Int, _ states: [NamedTensor], to path: String
  ) throws {
    let count = example.samples
    let numbers = wave(count * input.reduce(1, *), 0.2, scale: 1.5, step: 0.37)
    let first = window * numbers.count
    var values =
      example.vocabulary.map { words in
        numbers.indices.map { Double(($0 + first) * ($0 + first) % words) }
      } ?? numbers
    if example.padded {
      let (steps, elements) = (input[0], input.reduce(1, *))
      for index in values.indices
      where index % elements * steps / elements >= (steps + 3 * (index / elements)) % (steps + 1) {
        values[index] = 0
      }
    }
    let target: NamedTensor
    switch example.target {
    case "ctc":
      let labels = (0..<count * example.answers).map { index -> Int64 in
        let (sample, place) = (index / example.answers, index % example.answers)
        guard place < sample % (example.answers + 1) else { return -1 }
        return Int64(1 + (sample + place / 2) % (example.outputs - 1))
      }
      target = NamedTensor(name: "target", shape: [count, example.answers], values: labels)
    case "softmax_cross_entropy", "classes":
      let classes = (0..<count * example.answers).map { index -> Int64 in
        if let ignored = example.ignored, index % 4 == 1 { return Int64(ignored) }
        return Int64((7 * index + 3) % example.outputs)
      }
      target = NamedTensor(
        name: "target", shape: example.answers == 1 ? [count] : [count, example.answers],
        values: classes)
    case "sigmoid_cross_entropy":
      let width = example.answers * example.outputs
      let rows = wave(count * width, 0.5).map { $0 > 0 ? 1.0 : 0.0 }
      target = NamedTensor(name: "target", shape: [count, width], values: rows)
    default:
      let rows = wave(count * example.outputs, 0.5, scale: 1)
      target = NamedTensor(name: "target", shape: [count, example.outputs], values: rows)
    }
    let tensor = NamedTensor(name: "input", shape: [count] + input, values: values)
    _ = try SafetensorsLayout([tensor, target] + states).write(replacing: path)
  }
}
