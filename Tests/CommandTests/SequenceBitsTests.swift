import Checkpoints
import Foundation
import Testing

/// The contract of bits for networks of sequences, and what a trained language model is used for.
@Suite("Sequences, the same bits", .serialized)
struct SequenceBitsTests {
  /// Some thousand characters that nobody wrote.
  static let text: String = {
    let words = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "again"]
    return (0..<900).map { words[($0 * $0 + $0 / 7) % words.count] + ($0 % 11 == 0 ? ".\n" : " ") }
      .joined()
  }()

  private static func config(_ layers: String) -> String {
    """
    name: words
    data: {format: text, train: words.txt, window: 20, dev: {fraction: 0.1}}
    model:
      input: [20]
      layers:
    \(layers)
    loss: softmax_cross_entropy
    optimizer: {kind: adam, learning_rate: 0.01}
    training: {epochs: 3, batch: 24, shards: 8, clip_norm: 1}

    """
  }

  /// 26 letters, blank, full stop, new line.
  enum Network: String, CaseIterable {
    case gru, lstm, gpt, carried

    var config: String {
      switch self {
      case .gru:
        SequenceBitsTests.config(
          """
              - embedding: {vocabulary: 29, units: 12}
              - gru: {units: 17, layers: 2, dropout: 0.2}
              - gru: {units: 9, reset: before}
              - dense: 29
          """)
      case .lstm:
        SequenceBitsTests.config(
          """
              - embedding: {vocabulary: 29, units: 12}
              - lstm: {units: 10, bidirectional: true, forget_bias: 1}
              - dropout: 0.2
              - dense: 29
          """)
      case .gpt:
        SequenceBitsTests.config(
          """
              - embedding: {name: tokens, vocabulary: 29, units: 16}
              - positions
              - dropout: 0.1
              - repeat:
                  times: 2
                  layers:
                    - residual:
                        main: [layer_norm, {attention: {heads: 2, causal: true}}, {dropout: 0.1}]
                    - residual: {main: [rms_norm, {dense: 32}, gelu, {dense: 16}, {dropout: 0.1}]}
              - layer_norm
              - tied_dense: tokens
          """)
      case .carried:
        SequenceBitsTests.config(
          """
              - embedding: {vocabulary: 29, units: 12}
              - lstm: {units: 17, layers: 2, dropout: 0.2, carry: true}
              - gru: {units: 9, reset: before, carry: true}
              - dense: 29
          """)
      }
    }
  }

  private func folder(_ network: Network) throws -> Command { try folder(network.config) }

  private func folder(_ config: String) throws -> Command {
    let command = try Command()
    try command.write(Self.text, to: "words.txt")
    try command.write(config, to: "words.yaml")
    return command
  }

  /// Sequences of different length, with a batch at the end of an epoch that is smaller.
  enum Padded: String, CaseIterable {
    case lstm, events, attention, spelling, translation, buckets, spellingInBuckets

    var config: String {
      switch self {
      case .lstm:
        padded(
          "padded_tags", "[20]",
          "masking: 0, embedding: {vocabulary: 21, units: 8}, "
            + "lstm: {units: 9, layers: 2, bidirectional: true, dropout: 0.2}, dense: 3",
          loss: "{kind: softmax_cross_entropy, ignore: -1}")
      case .events:
        padded(
          "trigger", "[100, 101]",
          "conv1d: {filters: 6, kernel: 15, stride: 4}, relu, masking: 0, "
            + "gru: {units: 5, bidirectional: true}, dense: 1",
          loss: "sigmoid_cross_entropy")
      case .attention:
        padded(
          "padded_tags", "[20]",
          "masking: 0, embedding: {vocabulary: 21, units: 8}, attention: {heads: 2}, "
            + "conv1d: {filters: 7, kernel: 3, padding: same}, dropout: 0.2, dense: 3",
          loss: "softmax_cross_entropy")
      case .spelling:
        padded(
          "symbols", "[20, 8]", "masking: 0, gru: {units: 7, bidirectional: true}, dense: 7",
          loss: "{ctc: 5}")
      case .buckets:
        padded(
          "padded_tags", "[20]",
          "masking: 0, embedding: {vocabulary: 21, units: 8}, positions, "
            + "residual: {main: [layer_norm, {attention: {heads: 2}}, {dropout: 0.2}]}, "
            + "lstm: {units: 9, bidirectional: true}, dense: 3",
          loss: "{kind: softmax_cross_entropy, ignore: -1}", data: ", buckets: [8, 12, 20]")
      case .spellingInBuckets:
        padded(
          "symbols", "[20, 8]", "masking: 0, gru: {units: 7, bidirectional: true}, dense: 7",
          loss: "{ctc: 5}", data: ", buckets: [6, 10, 14, 20]")
      case .translation:
        padded(
          "dates", "{source: [27], target: [10]}", steps: "27",
          "masking: 0, embedding: {vocabulary: 42, units: 8}, positions, "
            + "residual: {main: [layer_norm, {attention: {heads: 2}}, {dropout: 0.2}]}, "
            + "layer_norm: {name: memory}, embedding: {vocabulary: 42, units: 12, from: target}, "
            + "residual: {main: [{attention: {heads: 2, causal: true}}]}, "
            + "residual: {main: [layer_norm, {attention: {heads: 3, memory: memory}}, {dropout: 0.2}]}, "
            + "lstm: 9, dense: 11",
          loss: "softmax_cross_entropy")
      }
    }

    private func padded(
      _ kind: String, _ input: String, steps: String? = nil, _ layers: String, loss: String,
      data: String = ""
    ) -> String {
      let steps = steps ?? String(input.dropFirst().prefix { $0.isNumber })
      return """
        name: words
        data: {format: generated_sequences, kind: \(kind), samples: 250, steps: \(steps), dev: {count: 37}\(data)}
        model: {input: \(input), layers: [\(layers)]}
        loss: \(loss)
        optimizer: {kind: adam, learning_rate: 0.01}
        training: {epochs: 3, batch: 24, shards: 8, clip_norm: 1}

        """
    }
  }

  private func train(
    _ command: Command, ranks: Int?, into folder: String, _ more: [String] = []
  ) throws -> Data {
    let result = try command.run(
      ranks: ranks, ["words.yaml", "output.folder=\(folder)", "--progress", "none"] + more)
    #expect(result.status == 0, "\(ranks ?? 1) ranks: \(result.errors)")
    return try command.bytes("\(folder)/model.safetensors")
  }

  @Test("on 1 to 4 ranks, and cut and continued on others", arguments: Network.allCases)
  func anyRankCount(network: Network) throws { try expectSameBits(network.config) }

  @Test("sequences of different length, with the same figures as well", arguments: Padded.allCases)
  func anyRankCount(network: Padded) throws { try expectSameBits(network.config) }

  private func expectSameBits(_ config: String) throws {
    let command = try folder(config)
    defer { command.remove() }
    let alone = try train(command, ranks: nil, into: "alone")
    for ranks in 1...4 {
      #expect(try train(command, ranks: ranks, into: "ranks-\(ranks)") == alone, "\(ranks) ranks")
    }
    _ = try train(command, ranks: 3, into: "parts", ["training.max_steps=5"])
    #expect(try train(command, ranks: 2, into: "parts") == alone)
    let figures = try epochs(command, "alone")
    #expect(!figures.isEmpty && figures.allSatisfy { !$0.contains("nan") })
    for folder in ["ranks-2", "ranks-3", "ranks-4", "parts"] {
      #expect(try epochs(command, folder) == figures, "\(folder)")
    }
  }

  @Test("batches by length go on after a kill, and are told in the header")
  func bucketsKilled() throws {
    let command = try folder(Padded.buckets.config)
    defer { command.remove() }
    let more = ["training.epochs=120", "checkpoint.every_seconds=0.05"]
    let whole = try train(command, ranks: nil, into: "whole", more)
    let process = try command.start(
      ranks: 2, ["words.yaml", "output.folder=parts", "--progress", "none"] + more)
    Thread.sleep(forTimeInterval: 0.8)
    kill(process.processIdentifier, SIGKILL)
    #expect(try command.result(of: process).status != 0, "the run was over before it was killed")
    try command.waitForRanksToEnd()
    #expect(try train(command, ranks: 3, into: "parts", more) == whole)
    let summary = try command.run(["summary", "words.yaml"])
    let cost = /\nbuckets     in training .* up to 8 steps, .* up to 12 steps, .* up to 20 steps\n/
    #expect(summary.output.contains(cost), "\(summary.output)\(summary.errors)")
    let header = try command.run(["words.yaml", "--dry-run"]).output
    #expect(
      header.contains("\nlengths    65 up to 8 steps, 45 up to 12, 103 up to 20\n"), "\(header)")
  }

  /// Losses and metrics of the epochs, without times.
  private func epochs(_ command: Command, _ folder: String) throws -> [Substring] {
    let lines = String(decoding: try command.bytes("\(folder)/metrics.jsonl"), as: UTF8.self)
    return lines.split(separator: "\n").filter { $0.contains("\"epoch\",") }.compactMap { line in
      line.range(of: "\"epoch_seconds\"").map { line[..<$0.lowerBound] }
    }
  }

  @Test("random windows are the same on any rank count, and after a cut in the middle of an epoch")
  func randomWindows() throws {
    let command = try folder(.gru)
    defer { command.remove() }
    let random = ["data.windows=random"]
    let alone = try train(command, ranks: nil, into: "alone", random)
    #expect(try train(command, ranks: 3, into: "three", random) == alone)
    _ = try train(command, ranks: 4, into: "parts", random + ["training.max_steps=5"])
    #expect(try train(command, ranks: 2, into: "parts", random) == alone)
    #expect(try train(command, ranks: nil, into: "contiguous") != alone)
  }

  @Test("checkpoints hold the states of all rows, whoever computes them")
  func carriedStates() throws {
    let command = try folder(.carried)
    defer { command.remove() }
    var files: [Data] = []
    for ranks in [1, 3] {
      _ = try train(command, ranks: ranks, into: "run-\(ranks)", ["training.max_steps=5"])
      let path = "run-\(ranks)/checkpoints/step-00000005/state.safetensors"
      files.append(try command.bytes(path))
      let states = try SafetensorsFile(path: command.folder.appendingPathComponent(path).path)
        .tensors.filter { $0.name.hasPrefix("carried.") }
      let letters = ["layers.1.c_l0", "layers.1.c_l1", "layers.1.h_l0", "layers.1.h_l1"]
      #expect(states.map(\.name) == (letters + ["layers.2.h_l0"]).map { "carried.\($0)" })
      #expect(states.map(\.shape) == letters.map { _ in [24, 17] } + [[24, 9]])
      for state in states { #expect(!state.floats().contains(0)) }
    }
    #expect(files[0] == files[1])
  }

  @Test("states that are carried change what is learned, and a text goes on beyond the window")
  func carriedText() throws {
    let command = try folder(.carried)
    defer { command.remove() }
    let carried = try train(command, ranks: 2, into: "run")
    let zeros = ["model.layers.1.lstm.carry=false", "model.layers.2.gru.carry=false"]
    #expect(try train(command, ranks: 2, into: "zeros", zeros) != carried)
    let text = try command.run(
      ["generate", "words.yaml", "output.folder=run", "--tokens", "90", "--prompt", "the "])
    #expect(text.status == 0 && text.errors == "", "\(text.errors)")
    #expect(text.output.count == 95, "\(text.output)")
    // Without them it is another run.
    let other = try command.run(["words.yaml", "output.folder=run", "--progress", "none"] + zeros)
    #expect(other.status == 2)
    #expect(
      other.errors.contains("model.layers.1.lstm.carry was true, is not set"), "\(other.errors)")
  }

  @Test("bytes of a text and the same tokens in a mapped file train the same weights")
  func tokens() throws {
    let command = try folder(.gru)
    defer { command.remove() }
    let bytes = Data(Self.text.utf8.flatMap { [$0, 0] })
    try command.write(bytes, to: "words.bin")
    let model = ["model.layers.0.embedding.vocabulary=256", "model.layers.3.dense=256"]
    let text = try train(command, ranks: nil, into: "text", model + ["data.level=byte"])
    let tokens = [
      "data={format: tokens, train: words.bin, vocabulary: 256, window: 20, dev: {fraction: 0.1}}"
    ]
    #expect(try train(command, ranks: 2, into: "tokens", model + tokens) == text)
    let unknown = try command.run(
      ["words.yaml", "--progress", "none", "output.folder=none"] + model + [
        "data={format: tokens, train: words.bin, vocabulary: 100, window: 20}"
      ])
    #expect(unknown.status == 2 && unknown.errors.contains("since data.vocabulary is 100"))
    let silent = try command.run(
      ["generate", "words.yaml", "output.folder=tokens"] + model + tokens)
    #expect(silent.status == 2)
    #expect(
      silent.errors == """
        data.byte_pair: nothing says what the tokens mean
          expected: the vocabulary that the files of tokens were written by
          to fix:   add data.byte_pair={vocab: vocab.json, merges: merges.txt}

        """)
  }

  @Test("a byte-pair vocabulary is learned, and generated from")
  func bytePairs() throws {
    let command = try folder(.gpt)
    defer { command.remove() }
    for name in ["vocab.json", "merges.txt"] {
      let golden = Command.repository.appendingPathComponent("Tests/DatasetsTests/Golden/\(name)")
      try command.write(try Data(contentsOf: golden), to: name)
    }
    let words = [
      "model.layers.0.embedding.vocabulary=507",
      "data.level={byte_pair: {vocab: vocab.json, merges: merges.txt}}",
    ]
    _ = try train(command, ranks: 2, into: "run", words + ["training.epochs=12"])
    let result = try command.run(
      [
        "generate", "words.yaml", "output.folder=run", "--prompt", "the quick", "--temperature",
        "0",
      ]
        + ["--tokens", "40"] + words)
    #expect(result.status == 0 && result.errors == "", "\(result.errors)")
    #expect(result.output.hasPrefix("the quick") && result.output.utf8.count > 40)
    #expect(result.output.contains(" brown") || result.output.contains(" the"), "\(result.output)")
  }

  @Test("an embedding that is smaller than the vocabulary is refused at the start")
  func smallEmbedding() throws {
    let command = try folder(.gru)
    defer { command.remove() }
    let result = try command.run(
      ["words.yaml", "model.layers.0.embedding.vocabulary=20", "--progress", "none"])
    #expect(result.status == 2)
    #expect(
      result.errors == """
        words.yaml:6:7: the embedding knows 20 tokens, the data have 29
          expected: at least 29
          to fix:   set its vocabulary and the width of the last layer to 29

        """)
  }

  @Test("a trained model continues a prompt, by the seed alone")
  func generate() throws {
    let command = try folder(.gpt)
    defer { command.remove() }
    _ = try train(command, ranks: 2, into: "run", ["training.epochs=12"])
    func text(_ more: [String], ranks: Int? = nil) throws -> String {
      let result = try command.run(
        ranks: ranks,
        ["generate", "words.yaml", "output.folder=run", "--tokens", "60", "--prompt", "the "]
          + more)
      #expect(result.status == 0 && result.errors == "", "\(result.errors)")
      return result.output
    }
    let first = try text([])
    #expect(first.hasPrefix("the ") && first.count == 65 && first.hasSuffix("\n"), "\(first)")
    #expect(try text([], ranks: 2) == first)
    #expect(try text(["--seed", "2"]) != first)
    let likely = try text(["--temperature", "0"])
    #expect(try text(["--temperature", "0", "--seed", "2"]) == likely)
    #expect(try text(["--top-k", "1", "--seed", "3"]) == likely)
    let known = Set(Self.text.split { !$0.isLetter })
    let words = likely.split { !$0.isLetter }.dropLast()
    #expect(words.count { known.contains($0) } * 2 > words.count, "\(likely)")
  }

  @Test("a trained translator writes dates, and says what it cannot read")
  func translate() throws {
    let command = try Command(sharesCache: true)
    defer { command.remove() }
    let training = try command.run(ranks: 2, ["date-attention", "--progress", "none"])
    #expect(training.status == 0, "\(training.errors)")
    func text(_ prompt: String, _ more: [String] = [], ranks: Int? = nil) throws -> String {
      let result = try command.run(
        ranks: ranks, ["generate", "date-attention", "--prompt", prompt] + more)
      return result.output + result.errors
    }
    let dates = [
      "3 May 1979": "1979-05-03", "wednesday september 27 2017": "2017-09-27",
      "9/27/17": "2017-09-27", "05.01.99": "1999-01-05", "21 aug 2003": "2003-08-21",
    ]
    for (prompt, date) in dates { #expect(try text(prompt) == date + "\n") }
    #expect(try text("3 May 1979", ranks: 2) == "1979-05-03\n")
    #expect(try text("3 May 1979", ["--tokens", "4"]) == "1979\n")
    #expect(try text("3 May 1979", ["--temperature", "1", "--top-k", "1"]) == "1979-05-03\n")
    #expect(
      try text("3 May, 1979") == """
        --prompt: "," does not occur in what was learned
          expected: at least one character, and only those of the sources
          to fix:   choose another prompt

        """)
    #expect(
      try text("on thursday the third of may 1979") == """
        --prompt: it has 33 characters
          expected: at most 30, which the model reads
          to fix:   choose a shorter prompt

        """)
  }

  @Test("a prompt of unknown characters, a model that looks ahead, a config without text")
  func faults() throws {
    let command = try folder(.lstm)
    defer { command.remove() }
    _ = try train(command, ranks: nil, into: "runs/words", ["training.max_steps=1"])
    let ahead = try command.run(["generate", "words.yaml"])
    #expect(ahead.status == 2)
    #expect(
      ahead.errors == """
        model: layers.1 looks at later steps, which generating has not got yet
          expected: a model whose steps look back only
          to fix:   train with causal: true, and without bidirectional layers

        """)
    let other = try folder(.gru)
    defer { other.remove() }
    _ = try train(other, ranks: nil, into: "runs/words", ["training.max_steps=1"])
    let unknown = try other.run(["generate", "words.yaml", "--prompt", "the €"])
    #expect(unknown.status == 2)
    #expect(
      unknown.errors == """
        --prompt: "€" does not occur in the text that was learned
          expected: at least one character, and only those of the text
          to fix:   choose another prompt

        """)
  }
}
