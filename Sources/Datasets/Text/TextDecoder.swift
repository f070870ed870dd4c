import Diagnostics
import Foundation

/// Turns texts into tokens, of which every window is a sample.
struct TextDecoder {
  private let spec: TextSpec
  private let data: DataSpec
  private var stride: Int { spec.stride ?? spec.window }

  init(spec: TextSpec, data: DataSpec) {
    self.spec = spec
    self.data = data
  }

  /// Appends the parts' tokens to `writer`: as inputs, and again one token further as targets.
  ///
  /// - Throws: A `DiagnosticList` of the texts that cannot be read or are too short.
  func decode(key: String, into writer: PreparedFileWriter) throws -> PreparedHeader {
    var faults = DiagnosticList()
    if data.target != .classes {
      faults.append(
        Diagnostic(
          place: "data.target_kind", problem: "a text's targets are its tokens",
          expected: "classes", remedy: "use loss: softmax_cross_entropy, remove target_kind"))
    }
    if data.normalization != .none {
      faults.append(
        Diagnostic(
          place: "data.normalize", problem: "tokens are names, not amounts", expected: "none",
          remedy: "remove data.normalize"))
    }
    let files = [spec.train] + [spec.dev, spec.test].map { $0.map { [$0] } ?? [] }
    let texts = try files.map { paths -> [UInt8]? in
      let texts = try paths.compactMap { path in try faults.collect { try text(path) } }
      return texts.isEmpty ? nil : Array(texts.joined())
    }
    try faults.throwIfAny()
    guard let train = texts[0] else { preconditionFailure("no text and no fault") }
    let vocabulary = Vocabulary(level: spec.level, texts: texts.compactMap { $0 })
    var parts = texts.map { text in text.map { vocabulary.tokens(of: $0) } }
    let all = vocabulary.tokens(of: train)
    let cuts = try cut(train: all.count)
    parts[0] = Array(all[..<cuts.train])
    if data.dev.isCut { parts[1] = Array(all[cuts.train..<cuts.dev]) }
    if data.test.isCut { parts[2] = Array(all[cuts.dev...]) }
    for (tokens, name) in zip(parts, ["train", "dev", "test"]) {
      if let tokens, tokens.count <= spec.window {
        faults.append(tooShort(tokens.count, part: name))
      }
    }
    try faults.throwIfAny()
    let layouts = try parts.map { tokens in
      try tokens.map { try write($0, bytes: vocabulary.count <= 256, into: writer) }
    }
    guard let layout = layouts[0] else { preconditionFailure("no training part") }
    let target = TargetLayout.classSequence(
      count: vocabulary.count, steps: spec.window, names: vocabulary.names)
    return PreparedHeader(
      key: key, shape: DataShape(input: [spec.window], target: target), train: layout,
      dev: layouts[1], test: layouts[2])
  }

  /// The bytes of a file, unpacked if it is gzipped; valid text where characters are the tokens.
  private func text(_ path: String) throws -> [UInt8] {
    var file = try InputFile(path: path)
    let bytes = try file.readToEnd()
    guard !bytes.isEmpty else {
      throw Diagnostic(
        place: path, problem: "the file is empty", expected: "a text", remedy: "name another file")
    }
    guard spec.level == .byte || String(validating: bytes, as: UTF8.self) != nil else {
      throw Diagnostic(
        place: path, problem: "the text is not UTF-8",
        expected: "UTF-8 where characters are tokens",
        remedy: "convert it, or set data.level: byte")
    }
    return bytes
  }

  /// Where the training part ends and where the dev part does, cut from the end of the text: parts never overlap.
  private func cut(train count: Int) throws -> (train: Int, dev: Int) {
    func size(_ part: PartSpec) -> Int {
      switch part {
      case .none, .files: 0
      case .fraction(let fraction, _): Int((fraction * Double(count)).rounded())
      case .count(let windows, _): (windows - 1) * stride + spec.window + 1
      }
    }
    var faults = DiagnosticList()
    for (part, place) in [(data.dev, "data.dev"), (data.test, "data.test")] where part.isStratified
    {
      faults.append(
        Diagnostic(
          place: place, problem: "a text cannot be cut by classes", expected: "fraction or count",
          remedy: "remove stratified"))
    }
    let (dev, test) = (size(data.dev), size(data.test))
    if dev + test >= count {
      faults.append(
        Diagnostic(
          place: "data",
          problem: "dev and test parts of \(dev + test) tokens leave none of \(count)",
          expected: "fewer tokens", remedy: "make data.dev or data.test smaller"))
    }
    try faults.throwIfAny()
    return (count - dev - test, count - test)
  }

  private func tooShort(_ count: Int, part: String) -> Diagnostic {
    Diagnostic(
      place: "data", problem: "the \(part) part has \(count) tokens",
      expected: "more than data.window, which is \(spec.window): a window and the token after it",
      remedy: "use a longer text or a smaller window")
  }

  private func write(
    _ tokens: [Int32], bytes: Bool, into writer: PreparedFileWriter
  ) throws -> PartLayout {
    let inputOffset = try writer.startArray()
    if bytes {
      try writer.append(tokens.map { UInt8($0) })
    } else {
      try writer.append(tokens.map { Float($0) })
    }
    let targetOffset = try writer.startArray()
    try writer.append(Array(tokens.dropFirst()))
    return PartLayout(
      count: (tokens.count - 1 - spec.window) / stride + 1, element: bytes ? .uint8 : .float32,
      inputOffset: inputOffset, targetOffset: targetOffset, stride: stride)
  }
}
