import Diagnostics

/// Opens files of tokens by mapping them: a corpus may be larger than memory, and nothing of it is copied.
struct TokenFiles {
  private let spec: TokensSpec
  private let data: DataSpec
  private let windows: SequenceWindows

  init(spec: TokensSpec, data: DataSpec) {
    self.spec = spec
    self.data = data
    windows = SequenceWindows(
      rows: "tokens", whole: "text", window: spec.window, ahead: 1,
      stride: spec.stride ?? spec.window, aheadName: "the token after it")
  }

  /// - Throws: A `DiagnosticList` of files that cannot be mapped, are no tokens or too short.
  func open() throws -> PreparedFile {
    try data.checkTokens()
    var faults = DiagnosticList()
    let files = try [spec.train, spec.dev, spec.test].map { path -> TokenFile? in
      guard let path else { return nil }
      return try faults.collect { try TokenFile(path: path) }
    }
    try faults.throwIfAny()
    guard let train = files[0] else { preconditionFailure("no training part and no fault") }
    let cut = try SequenceCut(
      rows: train.count, dev: data.dev, test: data.test, windows: windows)
    let ranges = [
      cut.train, cut.dev ?? files[1].map { 0..<$0.count },
      cut.test ?? files[2].map { 0..<$0.count },
    ]
    try windows.check(
      zip(["train", "dev", "test"], ranges).compactMap { name, range in
        range.map { (name, $0.count) }
      })
    try checkSampleCounts(ranges.compactMap { $0 })
    let layouts = zip(files, ranges).map { file, range in
      range.map { layout(of: $0, in: file ?? train) }
    }
    guard let layout = layouts[0] else { preconditionFailure("no training part") }
    let target = TargetLayout.classSequence(
      count: spec.vocabulary, steps: spec.window, names: nil)
    var shape = DataShape(input: [spec.window], target: target)
    shape.vocabularyCount = spec.vocabulary
    return PreparedFile(
      header: PreparedHeader(
        key: "", shape: shape, train: layout, dev: layouts[1], test: layouts[2]),
      storage: train.storage, path: spec.train, devStorage: files[1]?.storage,
      testStorage: files[2]?.storage)
  }

  /// - Parameter range: Tokens of the file.
  private func layout(of range: Range<Int>, in file: TokenFile) -> PartLayout {
    var layout = PartLayout(
      tokens: range.count, element: file.element,
      offset: file.offset + range.lowerBound * file.element.byteCount, window: spec.window,
      stride: windows.stride)
    layout.uncheckedFile = file.path
    return layout
  }

  private func checkSampleCounts(_ parts: [Range<Int>]) throws {
    guard let count = parts.map({ windows.count(in: $0.count) }).max(), count > 1 << 32 else {
      return
    }
    throw Diagnostic(
      place: "data.stride", problem: "an epoch would have \(count) windows",
      expected: "at most 4294967296", remedy: "remove data.stride, or make it larger")
  }
}

/// One mapped file of tokens.
struct TokenFile {
  let path: String
  let storage: MappedArray
  let element: ElementKind
  /// Where the first token lies.
  let offset: Int
  let count: Int

  /// - Throws: A `Diagnostic` when the file holds no tokens of a kind that can be mapped.
  init(path: String) throws {
    let storage = try MappedArray(file: path)
    self.path = path
    self.storage = storage
    if path.hasSuffix(".npy") {
      let array = try ArrayFile(path: path, format: .npy)
      element = try array.tokenElement()
      offset = array.dataOffset
      count = array.elementCount
      try array.checkWhole(byteCount: storage.byteCount)
    } else {
      guard path.hasSuffix(".bin") else { throw notTokens(path) }
      guard storage.byteCount % 2 == 0 else {
        throw Diagnostic(
          place: path, problem: "the file has \(storage.byteCount) bytes",
          expected: "an even number, two bytes for each token", remedy: "write the file again")
      }
      (element, offset, count) = (.uint16, 0, storage.byteCount / 2)
    }
  }
}

private func notTokens(_ path: String) -> Diagnostic {
  let isPacked = path.hasSuffix(".gz")
  return Diagnostic(
    place: path, problem: "the file is \(isPacked ? "packed" : "neither .npy nor .bin")",
    expected: "tokens that can be mapped: .npy of one axis, or .bin of unsigned 16-bit numbers",
    remedy: isPacked ? "unpack it with gunzip" : "name a file of tokens, or set data.format: text")
}

extension ArrayFile {
  /// What tokens are stored as.
  fileprivate borrowing func tokenElement() throws -> ElementKind {
    let kind: ElementKind? =
      switch (number.kind, number.byteCount) {
      case (.unsigned, 1): .uint8
      case (.unsigned, 2): .uint16
      case (.unsigned, 4), (.signed, 4): .int32
      case (.unsigned, 8), (.signed, 8): .int64
      default: nil
      }
    guard shape.count == 1, let kind, !number.isBigEndian || number.byteCount == 1 else {
      throw Diagnostic(
        place: path, problem: "the array has \(shape.count) axes of \(number.words)",
        expected: "one axis of little-endian integers: u1, u2, i4 or i8",
        remedy: "save it by numpy.save(path, tokens.ravel().astype('<u2'))")
    }
    return kind
  }

  fileprivate borrowing func checkWhole(byteCount: Int) throws {
    let wanted = dataOffset + elementCount * number.byteCount
    guard byteCount != wanted else { return }
    throw Diagnostic(
      place: path, problem: "the file has \(byteCount) bytes",
      expected: "\(wanted): \(elementCount) tokens, as its header says",
      remedy: "download or copy the file again")
  }
}

extension NumberFormat {
  fileprivate var words: String {
    let sign = kind == .float ? "float" : kind == .signed ? "signed" : "unsigned"
    return "\(sign) \(8 * byteCount)-bit numbers\(isBigEndian ? ", big-endian" : "")"
  }
}
