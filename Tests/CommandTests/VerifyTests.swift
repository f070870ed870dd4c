import Foundation
import Testing
import Training

/// `ddp-train verify`: sound configs pass, and each fault of the list is found by the proof that must find it, which
/// names the tensor or layer.
@Suite("Verify")
struct VerifyTests {
  /// Networks that have together all that the faults spoil.
  enum Network: String, CaseIterable {
    case tables, images, tags, text, dates, blocks, carried

    /// Models that answer each of their tokens are proven not to see the next one; those that carry states, to go on.
    var proofs: Int {
      switch self {
      case .text, .dates: 9
      case .carried: 10
      case .tables, .images, .tags, .blocks: 8
      }
    }
  }

  /// A fault, a network that has a place for it, and what the failing line says.
  struct Case: CustomTestStringConvertible {
    var mutant: String
    var network: Network
    var says: String

    init(_ mutant: String, _ network: Network, _ says: String) {
      self.mutant = mutant
      self.network = network
      self.says = says
    }

    var testDescription: String { "\(mutant) in \(network.rawValue)" }
  }

  static let cases = [
    Case("dense-weight-transposed", .tables, "layers.6.weight: relative error "),
    Case("dense-weight-transposed", .text, "layers.tokens.weight: relative error "),
    Case("convolution-weight-padding", .images, "layers.5.branches.1.0.weight: relative error "),
    Case("convolution-input-padding", .images, "layers.4.main.0.bias: relative error "),
    Case("activation-gradient-missing", .tables, "layers.4.bias: relative error "),
    Case("activation-gradient-mistaken", .images, "layers.5.branches.1.0.bias: relative error "),
    Case("residual-counted-twice", .images, "layers.4.main.0.bias: relative error "),
    Case("residual-counted-twice", .text, "layers.2.main.1.out_proj.bias: relative error "),
    Case("residual-lost", .images, "layers.4.main.0.bias: relative error "),
    Case("loss-gradient-doubled", .tags, "layers.2.bias: relative error 3.3e-01"),
    Case("recurrent-gradient-truncated", .tags, "layers.1.bias_hh_l0: relative error "),
    Case("recurrent-gradient-reversed", .tags, "layers.1.bias_hh_l0: relative error "),
    Case("attention-gradient-unmasked", .text, "layers.2.main.1.in_proj_bias: relative error "),
    Case("attention-unmasked", .text, "first in layers.2.main.1 (attention)"),
    Case("attention-unmasked", .dates, "first in layers.5.main.1 (attention)"),
    Case(
      "memory-gradient-unmasked", .dates,
      "wrong in layers.6.main.1.kv_proj_bias, layers.memory.bias, right in 22 of 24 tensors"),
    Case("tied-gradient-overwritten", .text, "layers.tokens.weight: relative error "),
    Case("max-pool-shifted", .images, "layers.1.weight: relative error "),
    Case("norm-statistics-constant", .tables, "wrong in layers.1.weight, layers.0.weight, "),
    Case("dropout-other-mask", .tables, "layers.1.weight: relative error "),
    Case(
      "recomputed-other-mask", .blocks,
      "wrong in layers.1.1.0.main.4.weight, right in 15 of 16 tensors"),
    Case("concatenation-shifted", .images, "layers.5.branches.1.0.bias: relative error "),
    Case("flatten-not-turned-back", .images, "layers.5.branches.1.0.bias: relative error "),
    Case("weight-sign", .tables, "layers.0.weight: relative error "),
    Case("weight-sign", .tags, "wrong in layers.0.weight, right in 6 of 7 tensors"),
    Case("bias-forgotten", .images, "wrong in layers.4.main.0.bias, right in 10 of 11 tensors"),
    Case("gamma-forgotten", .text, "wrong in layers.2.main.0.weight, right in 15 of 16 tensors"),
    Case("mean-forgotten", .tables, "layers.6.bias: relative error 6.0e-01"),
    Case("gradient-accumulated", .text, "first in layers.4 (layer_norm_gradient)"),
    Case("embedding-overwritten", .tags, "wrong in layers.0.weight, right in 6 of 7 tensors"),
    Case("embedding-overwritten", .dates, "wrong in layers.1.weight, right in "),
    Case("state-forgotten-backward", .carried, "layers.2.bias_hh_l0: relative error "),
    Case("gradient-crosses-border", .carried, "layers.2.bias_hh_l0: relative error "),
    Case(
      "state-not-carried", .carried,
      "what a window leaves behind changes nothing in the window after it"),
    Case(
      "state-of-first-step", .carried,
      "two windows in a row give other numbers than one window of twice the length"),
    Case("labels-from-one", .tags, "class 3, but the model's classes are 0 to 2"),
    Case("input-not-finite", .images, "element 32 of the input of sample 4 is nan"),
    Case("weights-too-large", .tables, "ln(2) 0.6931: a network that knows nothing"),
    Case("weights-zero", .images, "no gradient reaches layers.0.weight, "),
    Case("dropout-of-rank", .tables, "in the loss, layers.6.bias, "),
    Case("shard-lost", .text, "other bits on 2 ranks than on one in the loss, "),
    Case("order-of-arrival", .tables, "other bits on 3 ranks than on one in "),
    Case("mean-over-rank", .images, "layers.1.running_mean, layers.1.running_var, "),
    Case("tensor-frozen", .tables, "layers.0.weight stood still"),
    Case("statistics-stale", .images, "layers.1.running_mean, layers.1.running_var stood still"),
    Case("uphill", .tags, ": it should fall to "),
    Case("optimizer-not-saved", .tables, "momentum.layers.0.weight, "),
    Case("optimizer-not-saved", .text, "adam_m.layers.tokens.weight, "),
    Case("step-not-restored", .tags, "the step (0 for 1)"),
    Case("statistics-not-saved", .images, "layers.1.running_mean, layers.1.running_var"),
    Case("average-not-saved", .images, "average.layers.0.weight, "),
    Case("states-not-saved", .carried, "layers.1.h_l0, layers.1.c_l0, layers.2.h_l0"),
    Case("weights-rounded", .tags, "layers.0.weight, layers.1.weight_ih_l0, "),
    Case("evaluation-with-dropout", .tables, "first in layers.3 (dropout)"),
    Case("evaluation-with-batch-statistics", .images, "first in layers.1 (batch_norm_relu)"),
    Case("random-from-clock", .images, "first in layers.8 (dropout)"),
  ]

  @Test("every fault of the list is tried here")
  func wholeList() {
    #expect(Mutant.all.count >= 20)
    #expect(Set(Mutant.all.map(\.name)).count == Mutant.all.count)
    #expect(Set(Self.cases.map(\.mutant)) == Set(Mutant.all.map(\.name)))
  }

  @Test("every fault is found by its proof, which names where it is", arguments: cases)
  func mutant(_ example: Case) throws {
    let command = try Command()
    defer { command.remove() }
    let mutant = try #require(Mutant.named(example.mutant))
    let result = try verify(example.network, command, ["--mutant", example.mutant])
    #expect(result.status == 1, "\(result.output)\(result.errors)")
    let line = result.output.split(separator: "\n").first {
      $0.hasPrefix("FAILED  \(mutant.caughtBy.rawValue) ")
    }
    #expect(line?.contains(example.says) == true, "\(result.output)")
  }

  @Test("sound networks pass, and nothing is written", arguments: Network.allCases)
  func sound(_ network: Network) throws {
    let command = try Command()
    defer { command.remove() }
    let result = try verify(network, command, [])
    #expect(result.status == 0 && result.errors == "", "\(result.output)\(result.errors)")
    let proofs = network.proofs
    let lines = result.output.split(separator: "\n")
    #expect(
      lines.count == proofs + 2 && lines.dropFirst().dropLast().allSatisfy { $0.hasPrefix("ok ") })
    #expect(lines.last?.hasPrefix("all \(proofs) proofs passed in ") == true)
    let files = Set(try command.everything().keys)
    #expect(files == Set(["\(network.rawValue).yaml", "text.txt"]))
  }

  @Test("over real ranks the sums are those of one rank", arguments: [2, 3])
  func ranks(_ ranks: Int) throws {
    let command = try Command()
    defer { command.remove() }
    let result = try verify(.images, command, [], ranks: ranks)
    #expect(result.status == 0 && result.errors == "", "\(result.output)\(result.errors)")
    #expect(
      result.output.contains("the sum of 4 shards has the same bits on \(ranks) ranks as on one"),
      "\(result.output)")
  }

  @Test("a fault is found over real ranks too, and all end with exit code 1")
  func mutantOverRanks() throws {
    let command = try Command()
    defer { command.remove() }
    let result = try verify(.tables, command, ["--mutant", "mean-over-rank"], ranks: 2)
    #expect(result.status == 1, "\(result.errors)")
    #expect(result.output.contains("FAILED  ranks  "), "\(result.output)")
    #expect(result.errors.contains("1 of 8 proofs failed in "), "\(result.errors)")
  }

  @Test("data that are not there are made up, and the title says so")
  func missingData() throws {
    let command = try Command()
    defer { command.remove() }
    let result = try verify(.text, command, [], hasData: false)
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(
      result.output.hasPrefix("text: 868 parameters in 16 tensors, on 9 samples (generated: "),
      "\(result.output)")
    #expect(result.output.contains("text.txt is not there)\n"))
  }

  @Test("bad configs, unknown faults and faults without a place end with exit code 2")
  func badInput() throws {
    let command = try Command()
    defer { command.remove() }
    let misfit = try verify(.tables, command, ["--mutant", "max-pool-shifted"])
    #expect(misfit.status == 2)
    #expect(
      misfit.errors == """
        --mutant max-pool-shifted: the model has no place for this fault
          expected: a model in which this can happen: windows off by one in a max pool's gradient
          to fix:   choose another config

        """)
    let unknown = try verify(.tables, command, ["--mutant", "weight-sing"])
    #expect(unknown.status == 2 && unknown.errors.contains("did you mean 'weight-sign'?"))
    let shapes = try verify(.tables, command, ["model.input=[3]"])
    #expect(shapes.status == 2 && shapes.errors.contains("the model takes inputs of shape [3]"))
  }

  private func verify(
    _ network: Network, _ command: Command, _ arguments: [String], ranks: Int? = nil,
    hasData: Bool = true
  ) throws -> Command.Result {
    try command.write(network.config, to: "\(network.rawValue).yaml")
    if hasData {
      let text = String(repeating: "the quick brown fox jumps over the lazy dog. ", count: 40)
      try command.write(text, to: "text.txt")
    }
    return try command.run(ranks: ranks, ["verify", "\(network.rawValue).yaml"] + arguments)
  }
}

extension VerifyTests.Network {
  fileprivate var config: String {
    switch self {
    case .tables:
      """
      name: tables
      data: {format: generated, kind: moons, samples: 200, noise: 0.2}
      model:
        input: [2]
        layers:
          - dense: {units: 12, bias: false}
          - batch_norm
          - relu
          - dropout: 0.3
          - dense: 9
          - tanh
          - dense: 2
      loss: softmax_cross_entropy
      optimizer: {kind: momentum, learning_rate: 0.1}
      training: {epochs: 2, batch: 32, shards: 4}

      """
    case .blocks:
      """
      name: blocks
      data: {format: generated, kind: moons, samples: 200, noise: 0.2}
      model:
        input: [2]
        layers:
          - dense: 8
          - repeat:
              times: 2
              layers:
                - residual: {main: [layer_norm, {dense: 8}, tanh, {dropout: 0.3}, {dense: 8}]}
          - dense: 2
      loss: softmax_cross_entropy
      optimizer: {kind: adam, learning_rate: 0.01}
      training: {epochs: 2, batch: 32, shards: 4, recompute: blocks}

      """
    case .images:
      """
      name: images
      data: {format: generated, kind: images, shape: [8, 8, 1], classes: 3, samples: 60, noise: 0.2}
      model:
        input: [8, 8, 1]
        layers:
          - conv2d: {filters: 4, kernel: 3, padding: same, bias: false}
          - batch_norm
          - relu
          - max_pool: 2
          - residual: {main: [{conv2d: {filters: 4, kernel: 3, padding: same}}, tanh]}
          - parallel:
              join: concat
              branches:
                - [{conv2d: {filters: 3, kernel: 1}}]
                - [{conv2d: {filters: 2, kernel: 3, padding: same}}]
          - silu
          - flatten
          - dropout: 0.2
          - dense: 3
      loss: softmax_cross_entropy
      optimizer: {kind: adam, learning_rate: 0.01}
      training: {epochs: 2, batch: 20, shards: 4, ema_decay: 0.9}

      """
    case .tags:
      """
      name: tags
      data: {format: generated_sequences, kind: tags, samples: 60, steps: 7}
      model:
        input: [7]
        layers:
          - embedding: {vocabulary: 20, units: 5}
          - lstm: 6
          - dense: 3
      loss: softmax_cross_entropy
      optimizer: {kind: adam, learning_rate: 0.02}
      training: {epochs: 2, batch: 20, shards: 4}

      """
    case .dates:
      """
      name: dates
      data: {format: generated_sequences, kind: dates, samples: 60, steps: 28}
      model:
        input: {source: [28], target: [10]}
        layers:
          - masking: 0
          - embedding: {vocabulary: 42, units: 5}
          - lstm: 6
          - layer_norm: {name: memory}
          - embedding: {vocabulary: 42, units: 8, from: target}
          - residual: {main: [layer_norm, {attention: {heads: 2, causal: true}}]}
          - residual: {main: [layer_norm, {attention: {heads: 2, memory: memory}}]}
          - dense: 11
      loss: softmax_cross_entropy
      optimizer: {kind: adam, learning_rate: 0.02}
      training: {epochs: 2, batch: 20, shards: 4}

      """
    case .carried:
      """
      name: carried
      data: {format: text, level: character, train: text.txt, window: 8}
      model:
        input: [8]
        layers:
          - embedding: {vocabulary: 32, units: 5}
          - lstm: {units: 6, carry: true}
          - gru: {units: 4, reset: before, carry: true}
          - dense: 32
      loss: softmax_cross_entropy
      optimizer: {kind: adam, learning_rate: 0.02}
      training: {epochs: 2, batch: 16, shards: 4}

      """
    case .text:
      """
      name: text
      data: {format: text, level: character, train: text.txt, window: 8}
      model:
        input: [8]
        layers:
          - embedding: {name: tokens, vocabulary: 32, units: 8}
          - positions
          - residual: {main: [layer_norm, {attention: {heads: 2, causal: true}}]}
          - residual: {main: [layer_norm, {dense: 12}, gelu, {dense: 8}]}
          - layer_norm
          - tied_dense: tokens
      loss: softmax_cross_entropy
      optimizer: {kind: adam, learning_rate: 0.01}
      training: {epochs: 2, batch: 16, shards: 4}

      """
    }
  }
}
