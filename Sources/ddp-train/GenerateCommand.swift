import ArgumentParser
import Checkpoints
import Collectives
import Configuration
import DataParallel
import Datasets
import Diagnostics
import Graph
import Metrics
import Placement
import Storage
import Training

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Continues a prompt with a trained language model.",
    discussion: """
      Works with models whose input is a window of a text (data.format: text). Every token is drawn by the model's \
      probabilities; the same seed gives the same text.
      """)

  @OptionGroup var config: ConfigArguments

  @Option(help: "The text to continue.")
  var prompt = "\n"

  @Option(help: "How many tokens to add.")
  var tokens = 500

  @Option(help: "Divides the logits: below 1 bolder, 0 always the most likely token.")
  var temperature = 1.0

  @Option(help: "Draw from so many of the most likely tokens only.")
  var topK: Int?

  @Option(help: "The seed of the draws.")
  var seed: UInt64 = 1

  @Option(help: "A checkpoint in the output folder, such as step-00000120; the newest without it.")
  var checkpoint: String?

  func validate() throws {
    guard tokens >= 0 else { throw ValidationError("--tokens \(tokens) is below 0") }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature \(temperature) is no number from 0")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k \(topK) is below 1") }
  }

  func run() throws {
    runOnAllRanks(config) { configuration, collectives, _ in
      try generate(configuration, over: collectives, options: self)
    }
  }
}

private func generate(
  _ configuration: RunConfiguration, over collectives: any Collectives, options: GenerateCommand
) throws {
  let spec = configuration.spec
  let model = try TrainedModel(configuration, checkpoint: options.checkpoint, over: collectives)
  let (vocabulary, prompt) = try collectives.agree {
    try checkLooksBack(model.material.plans)
    let vocabulary = try learnedVocabulary(spec.data, model.material.data)
    return (vocabulary, try promptTokens(options.prompt, vocabulary))
  }
  guard collectives.isRoot else { return }
  let sampler = TokenSampler(
    temperature: options.temperature, topK: options.topK, seed: options.seed)
  var generator = TextGenerator(
    plans: model.material.plans, replica: model.replica, vocabulary: vocabulary.count,
    seed: spec.seed, sampler: sampler)
  if let obstacle = generator.obstacle {
    printError(
      "note: every token costs a pass over the window, since \(obstacle.layer)"
        + " (\(obstacle.operation)) cannot be computed step by step")
  }
  var text = prompt
  writeToStandardOutput(options.prompt)
  for _ in 0..<options.tokens {
    text.append(generator.next(after: text))
    writeToStandardOutput(bytes: vocabulary.text(of: text.suffix(1)))
  }
  writeToStandardOutput("\n")
}

/// - Throws: When a step of the model sees those after it, which are not there yet.
private func checkLooksBack(_ plans: ModelPlans) throws {
  let seeing = plans.graph.operations.first { operation in
    switch operation.kind {
    case .recurrence(let shape): shape.isReversed
    case .attention(let shape): !shape.isCausal
    case .convolution(let geometry): geometry.horizontal.looksAhead || geometry.vertical.input > 1
    case .globalAveragePool, .maxPool, .averagePool, .adaptiveAveragePool, .groupNorm, .transpose:
      true
    case .sequenceLengths: true
    default: false
    }
  }
  guard let seeing else { return }
  throw Diagnostic(
    place: "model",
    problem: "\(seeing.layer) looks at later steps, which generating has not got yet",
    expected: "a model whose steps look back only",
    remedy: "train with causal: true, and without bidirectional layers")
}

private func learnedVocabulary(_ spec: DataSpec, _ data: LoadedData) throws -> Vocabulary {
  switch (spec.source, data.shape.target) {
  case (.text(let text), .classSequence(_, _, let names)):
    return try Vocabulary(level: text.level, names: names)
  case (.tokens(let tokens), _):
    guard let files = tokens.bytePair else {
      throw Diagnostic(
        place: "data.byte_pair", problem: "nothing says what the tokens mean",
        expected: "the vocabulary that the files of tokens were written by",
        remedy: "add data.byte_pair={vocab: vocab.json, merges: merges.txt}")
    }
    return try Vocabulary(level: .bytePair(files), names: nil)
  default:
    throw Diagnostic(
      place: "data.format", problem: "the config's data are no text",
      expected: "format: text or tokens, which a model learns to continue",
      remedy: "choose the config of a language model")
  }
}

/// - Throws: When the prompt has characters that the model has never seen.
private func promptTokens(_ prompt: String, _ vocabulary: Vocabulary) throws -> [Int32] {
  let known = Set(vocabulary.names ?? [])
  let unknown =
    known.isEmpty ? [] : prompt.unicodeScalars.map { String($0) }.filter { !known.contains($0) }
  guard unknown.isEmpty, !prompt.isEmpty else {
    throw Diagnostic(
      place: "--prompt",
      problem: prompt.isEmpty
        ? "it is empty" : "\"\(unknown[0])\" does not occur in the text that was learned",
      expected: "at least one character, and only those of the text",
      remedy: "choose another prompt")
  }
  return vocabulary.tokens(of: Array(prompt.utf8))
}

extension WindowAxis {
  /// Whether a step's output depends on later steps.
  fileprivate var looksAhead: Bool { stride > 1 || dilation * (kernel - 1) > padBefore }
}
