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
import Plan
import Storage
import Training

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Continues a prompt with a trained language model, or translates it.",
    discussion: """
      Works with models whose input is a window of a text (data.format: text). Every token is drawn by the model's \
      probabilities; the same seed gives the same text. A model of two inputs, a source and a target, translates the \
      prompt; a token is the most likely one unless --temperature says otherwise.
      """)

  @OptionGroup var config: ConfigArguments

  @Option(help: "The text to continue, or to translate.")
  var prompt = "\n"

  @Option(help: "How many tokens to add.")
  var tokens = 500

  @Option(
    help:
      "Divides the logits: below 1 bolder, 0 always the most likely token (1; of translations 0).")
  var temperature: Double?

  @Option(help: "Draw from so many of the most likely tokens only.")
  var topK: Int?

  @Option(help: "The seed of the draws.")
  var seed: UInt64 = 1

  @Option(help: "A checkpoint in the output folder, such as step-00000120; the newest without it.")
  var checkpoint: String?

  func validate() throws {
    guard tokens >= 0 else { throw ValidationError("--tokens \(tokens) is below 0") }
    if let temperature, !(temperature >= 0 && temperature.isFinite) {
      throw ValidationError("--temperature \(temperature) is no number from 0")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k \(topK) is below 1") }
  }

  func run() throws {
    runOnAllRanks(config) { configuration, collectives, _ in
      if configuration.spec.model.inputs.isEmpty {
        try generate(configuration, over: collectives, options: self)
      } else {
        try translate(configuration, over: collectives, options: self)
      }
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
    temperature: options.temperature ?? 1, topK: options.topK, seed: options.seed)
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

/// Prints what the target of the prompt is.
private func translate(
  _ configuration: RunConfiguration, over collectives: any Collectives, options: GenerateCommand
) throws {
  let spec = configuration.spec
  let model = try TrainedModel(configuration, checkpoint: options.checkpoint, over: collectives)
  let (network, words, source) = try collectives.agree {
    guard let words = spec.data.source.translationWords else {
      throw Diagnostic(
        place: "data", problem: "nothing says what the numbers of the target mean",
        expected: "kind: dates, whose numbers are letters",
        remedy: "export the weights, and translate with a program that knows the words")
    }
    let graph = try translationGraph(model.material.plans, spec.model)
    return (graph, words, try sourceTokens(options.prompt, words, steps: graph.target.lowerBound))
  }
  guard collectives.isRoot else { return }
  let sampler = TokenSampler(
    temperature: options.temperature ?? 0, topK: options.topK, seed: options.seed)
  var translator = Translator(network, replica: model.replica, sampler: sampler)
  let classes = translator.translate(
    source, start: words.start, limit: options.tokens, token: words.token)
  writeToStandardOutput(classes.map(words.text).joined() + "\n")
}

private func translationGraph(_ plans: ModelPlans, _ model: ModelSpec) throws -> TranslationGraph {
  do throws(TranslationGraph.Obstacle) {
    return try TranslationGraph(plans.evaluation.graph, inputs: model.inputs)
  } catch {
    switch error {
    case .lookahead(let layer): throw looksAhead(layer)
    case .shape:
      throw Diagnostic(
        place: "model.input", problem: "the model does not read a source and write a target",
        expected:
          "two inputs, {source: [steps], target: [steps]}, and logits at every step of the target",
        remedy: "choose the config of a translation, or of a language model")
    }
  }
}

/// - Throws: When the prompt has letters that no source has, or too many.
private func sourceTokens(
  _ prompt: String, _ words: TranslationWords, steps: Int
) throws -> [Int32] {
  let tokens = words.tokens(prompt)
  let known = tokens.compactMap(\.self)
  guard known.count == tokens.count, !known.isEmpty else {
    let letter = tokens.firstIndex(of: nil).map { Array(prompt.lowercased().unicodeScalars)[$0] }
    throw Diagnostic(
      place: "--prompt",
      problem: letter.map { "\"\($0)\" does not occur in what was learned" } ?? "it is empty",
      expected: "at least one character, and only those of the sources",
      remedy: "choose another prompt")
  }
  guard known.count <= steps else {
    throw Diagnostic(
      place: "--prompt", problem: "it has \(known.count) characters",
      expected: "at most \(steps), which the model reads", remedy: "choose a shorter prompt")
  }
  return known + [Int32](repeating: 0, count: steps - known.count)
}

/// - Throws: When a step of the model sees those after it, which are not there yet.
private func checkLooksBack(_ plans: ModelPlans) throws {
  let seeing = plans.graph.operations.first(where: \.kind.looksAhead)
  if let seeing { throw looksAhead(seeing.layer) }
}

private func looksAhead(_ layer: String) -> Diagnostic {
  Diagnostic(
    place: "model",
    problem: "\(layer) looks at later steps, which generating has not got yet",
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
