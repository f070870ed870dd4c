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

  /// Appends the parts' tokens to `writer`: they are inputs, and from the second on targets.
  ///
  /// - Throws: A `DiagnosticList` of the texts that cannot be read or are too short.
  func decode(key: String, into writer: PreparedFileWriter) throws -> PreparedHeader {
    try data.checkTokens()
    var faults = DiagnosticList()
    let files = [spec.train] + [spec.dev, spec.test].map { $0.map { [$0] } ?? [] }
    let texts = try files.map { paths -> [UInt8]? in
      let texts = try paths.compactMap { path in try faults.collect { try text(path) } }
      return texts.isEmpty ? nil : Array(texts.joined())
    }
    try faults.throwIfAny()
    let vocabulary = try Vocabulary(level: spec.level, texts: texts.compactMap { $0 })
    var parts = texts.map { text in text.map { vocabulary.tokens(of: $0) } }
    guard let all = parts[0] else { preconditionFailure("no text and no fault") }
    let windows = SequenceWindows(
      rows: "tokens", whole: "text", window: spec.window, ahead: 1, stride: stride,
      aheadName: "the token after it")
    let cut = try SequenceCut(rows: all.count, dev: data.dev, test: data.test, windows: windows)
    parts[0] = Array(all[cut.train])
    if let dev = cut.dev { parts[1] = Array(all[dev]) }
    if let test = cut.test { parts[2] = Array(all[test]) }
    try windows.check(
      zip(["train", "dev", "test"], parts).compactMap { name, tokens in
        tokens.map { (name, $0.count) }
      })
    let layouts = try parts.map { tokens in
      try tokens.map { try write($0, vocabulary: vocabulary.count, into: writer) }
    }
    guard let layout = layouts[0] else { preconditionFailure("no training part") }
    let target = TargetLayout.classSequence(
      count: vocabulary.count, steps: spec.window, names: vocabulary.names)
    var shape = DataShape(input: [spec.window], target: target)
    shape.vocabularyCount = vocabulary.count
    return PreparedHeader(
      key: key, shape: shape, train: layout, dev: layouts[1], test: layouts[2])
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
        expected:
          "UTF-8 where \(spec.level == .character ? "characters" : "merged words") are tokens",
        remedy: "convert it, or set data.level: byte")
    }
    return bytes
  }

  private func write(
    _ tokens: [Int32], vocabulary: Int, into writer: PreparedFileWriter
  ) throws -> PartLayout {
    let offset = try writer.startArray()
    let element: ElementKind =
      vocabulary <= 1 << 8 ? .uint8 : vocabulary <= 1 << 16 ? .uint16 : .int32
    switch element {
    case .uint8: try writer.append(tokens.map { UInt8($0) })
    case .uint16: try writer.append(tokens.map { UInt16($0) })
    default: try writer.append(tokens)
    }
    return PartLayout(
      tokens: tokens.count, element: element, offset: offset, window: spec.window, stride: stride)
  }
}

extension DataSpec {
  /// - Throws: A `DiagnosticList` of settings that make no sense for tokens.
  func checkTokens() throws {
    var faults = DiagnosticList()
    if target != .classes {
      faults.append(
        Diagnostic(
          place: "data.target_kind", problem: "a text's targets are its tokens",
          expected: "classes", remedy: "use loss: softmax_cross_entropy, remove target_kind"))
    }
    if normalization != .none {
      faults.append(
        Diagnostic(
          place: "data.normalize", problem: "tokens are names, not amounts", expected: "none",
          remedy: "remove data.normalize"))
    }
    try faults.throwIfAny()
  }
}

extension PartLayout {
  /// Windows of tokens whose targets are the tokens one further.
  ///
  /// - Parameters:
  ///   - tokens: More than `window`.
  ///   - offset: Where the first token lies.
  init(tokens: Int, element: ElementKind, offset: Int, window: Int, stride: Int) {
    let windows = WindowLayout(
      stride: stride, starts: tokens - window, inputWidth: 1, targetWidth: 1,
      targetElement: element)
    self.init(
      count: windows.count, element: element, inputOffset: offset,
      targetOffset: offset + element.byteCount, windows: windows)
  }
}
