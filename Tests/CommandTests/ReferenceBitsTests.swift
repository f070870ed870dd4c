import Checkpoints
import Foundation
import Testing

/// The contract of bits for networks whose layers refer to each other, with frozen parts and several losses.
@Suite("References and several losses, the same bits", .serialized)
struct ReferenceBitsTests {
  private static let config = """
    name: code
    data: {format: generated, kind: blobs, samples: 160, classes: 3, dev: {fraction: 0.2}}
    model:
      input: [2]
      layers:
        - dense: {units: 9, name: first, trainable: false}
        - tanh
        - sequence: {name: twice, layers: [{dense: 9}, {dropout: 0.2}, tanh]}
        - shared: twice
        - join: {with: [first], by: add}
        - dense: {units: 6, name: code}
        - gaussian_sample
        - dense: 2
    loss: mean_squared
    loss_target: input
    auxiliary_losses:
      - {of: code, loss: kl_divergence, weight: 0.01}
      - {of: code, loss: {hard_triplet: {margin: 50}}, weight: 0.1}
    optimizer: {kind: adamw, learning_rate: 0.01, weight_decay: 0.1}
    training: {epochs: 3, batch: 32, shards: 4, clip_norm: 1}

    """

  private func folder() throws -> Command {
    let command = try Command()
    try Self.config.write(toFile: command.path("code.yaml"), atomically: true, encoding: .utf8)
    return command
  }

  @Test("on 1, 2, 3 and 4 ranks, and cut and continued; what is frozen keeps its bits")
  func sameBits() throws {
    let command = try folder()
    defer { command.remove() }
    let arguments = ["code.yaml", "--progress", "none"]
    func weights(_ folder: String) throws -> Data {
      try command.bytes("\(folder)/model.safetensors")
    }
    let alone = try command.run(arguments + ["output.folder=1"])
    #expect(alone.status == 0, "\(alone.errors)")
    #expect(alone.output.contains("loss") && !alone.output.contains("accuracy"))
    for ranks in 2...4 {
      let result = try command.run(ranks: ranks, arguments + ["output.folder=\(ranks)"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(try weights("\(ranks)") == weights("1"), "\(ranks) ranks")
    }
    let pulled = try command.run(
      arguments + ["output.folder=pulled", "auxiliary_losses.1.weight=0.2"])
    #expect(pulled.status == 0, "\(pulled.errors)")
    #expect(try weights("pulled") != weights("1"), "the triplets have no effect")
    let cut = arguments + ["output.folder=cut"]
    #expect(try command.run(ranks: 3, cut + ["training.max_steps=5"]).status == 0)
    let early = try SafetensorsFile(path: command.path("cut/model.safetensors"))
    #expect(try command.run(ranks: 2, cut).status == 0)
    #expect(try weights("cut") == weights("1"))

    let late = try SafetensorsFile(path: command.path("cut/model.safetensors"))
    for name in early.shapes.map(\.name) {
      let isFrozen = name.hasPrefix("layers.first.")
      #expect(try (early.doubles(name) == late.doubles(name)) == isFrozen, "\(name)")
    }
  }

  @Test(
    "each loss is logged, adds up to the total, and is the same on any number of ranks and after a cut"
  )
  func lossTerms() throws {
    let command = try folder()
    defer { command.remove() }
    let arguments = ["code.yaml", "--progress", "none"]
    func train(_ folder: String, ranks: Int, _ more: [String] = []) throws -> [[Double]] {
      let result = try command.run(
        ranks: ranks, arguments + ["output.folder=\(folder)"] + more)
      #expect(result.status == 0, "\(result.errors)")
      return try terms(command, folder)
    }
    let alone = try train("1", ranks: 1)
    #expect(alone.count == 3)
    for terms in alone {
      // The loss, then its terms; sums of three numbers of Float.
      #expect(terms.count == 4 && terms.allSatisfy { $0 > 0 })
      #expect(abs(terms[0] - terms[1] - terms[2] - terms[3]) < 1e-6 * terms[0], "\(terms)")
    }
    for ranks in 2...4 { #expect(try train("\(ranks)", ranks: ranks) == alone) }
    _ = try train("cut", ranks: 3, ["training.max_steps=6"])
    #expect(try train("cut", ranks: 2) == alone)
    let text = try String(contentsOfFile: command.path("1/summary.txt"), encoding: .utf8)
    #expect(text.contains("  train loss = "), "\(text)")
    // Ranks that step alone log the means over what they have seen.
    let local = try train("local", ranks: 2, ["training.local_steps=3"])
    for terms in local {
      #expect(abs(terms[0] - terms[1] - terms[2] - terms[3]) < 1e-5 * terms[0], "\(terms)")
    }
  }

  /// Of each epoch the loss and its terms.
  private func terms(_ command: Command, _ folder: String) throws -> [[Double]] {
    let text = try String(contentsOfFile: command.path("\(folder)/metrics.jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").filter { $0.contains("\"epoch\",") }.map { line in
      let record = try #require(
        JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      let loss = try #require(record["train_loss"] as? Double)
      return [loss] + (try #require(record["train_loss_terms"] as? [Double]))
    }
  }

  @Test("weights of another run are where training starts, but for what is excepted")
  func initialWeights() throws {
    let command = try folder()
    defer { command.remove() }
    let arguments = ["code.yaml", "--progress", "none", "training.max_steps=1"]
    let model = "1/model.safetensors"
    #expect(try command.run(arguments + ["output.folder=1", "seed=9"]).status == 0)
    let start = arguments + ["optimizer.learning_rate=0", "output.folder=2"]
    let begun = try command.run(
      ranks: 2, start + ["initial_weights={file: \(model), except: [layers.code, twice.*.bias]}"])
    #expect(begun.status == 0, "\(begun.errors)")
    let (given, taken) = (
      try SafetensorsFile(path: command.path(model)),
      try SafetensorsFile(path: command.path("2/model.safetensors"))
    )
    for name in given.names where name != "layers.twice.0.bias" {
      let isTaken = !name.hasPrefix("layers.code.")
      #expect(try (given.doubles(name) == taken.doubles(name)) == isTaken, "\(name)")
    }

    let refused = try command.run(
      ranks: 2,
      arguments + [
        "output.folder=3", "model.layers.5.dense.units=8",
        "initial_weights={file: \(model), except: [layers.cod]}",
      ])
    #expect(refused.status == 2)
    for part in [
      "layers.cod matches no tensor",
      "layers.code.weight is [6, 9] in the file, [8, 9] in the model",
      "layers.7.weight is [2, 3] in the file, [2, 4] in the model", "initial_weights.except",
    ] {
      #expect(refused.errors.contains(part), "\(refused.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: command.path("3")))
  }

  @Test("evaluation reports the loss, the same on any number of ranks")
  func evaluation() throws {
    let command = try folder()
    defer { command.remove() }
    #expect(try command.run(["code.yaml", "--progress", "none"]).status == 0)
    let reports = try [1, 3].map { ranks in
      try command.run(ranks: ranks, ["evaluate", "code.yaml", "--part", "dev"]).output
    }
    #expect(reports[0].contains("loss") && reports[0] == reports[1])
  }

  @Test("a loss that compares samples sees the same ones on any number of ranks")
  func evaluationOfComparedSamples() throws {
    let command = try Command()
    defer { command.remove() }
    let config = """
      name: faces
      data: {format: generated, kind: blobs, samples: 160, classes: 3, dev: {fraction: 0.25}}
      model: {input: [2], layers: [{dense: 6}]}
      loss: {hard_triplet: {margin: 50}}
      optimizer: {kind: sgd, learning_rate: 0.01}
      training: {epochs: 1, batch: 32}
      evaluation: {batch: 8}

      """
    try config.write(toFile: command.path("faces.yaml"), atomically: true, encoding: .utf8)
    #expect(try command.run(["faces.yaml", "--progress", "none"]).status == 0)
    let reports = try (1...4).map { ranks in
      try command.run(ranks: ranks, ["evaluate", "faces.yaml", "--part", "dev"]).output
    }
    #expect(reports[0].contains("loss") && Set(reports).count == 1, "\(reports)")
  }
}
