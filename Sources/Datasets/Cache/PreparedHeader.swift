/// Where one part's arrays lie in a prepared file.
struct PartLayout: Equatable {
  var count: Int
  var element: ElementKind
  /// `[count, elements]` numbers of `element`.
  var inputOffset: Int
  /// `[count]` Int32 classes, `[count, steps]` of them, or `[count, width]` Float values.
  var targetOffset: Int
  /// nil: samples lie one after another.
  var windows: WindowLayout?
  /// A mapped file whose tokens nobody has checked; never in a prepared file.
  var uncheckedFile: String?
}

/// Samples that are windows of rows which follow each other in one array, and may overlap.
struct WindowLayout: Equatable {
  /// Rows from one sample's start to the next's.
  var stride: Int
  /// Rows at which a window can start, from the first row on.
  var starts: Int
  /// Elements of a row of the inputs, and of the targets.
  var inputWidth: Int
  var targetWidth: Int
  /// What targets are stored as; those of a window that starts at row `r` start at row `r` of theirs.
  var targetElement: ElementKind

  /// Windows that start a stride apart.
  var count: Int { (starts - 1) / stride + 1 }
}

/// The table of contents of a prepared file.
struct PreparedHeader: Equatable {
  /// Everything the contents depend on, in words: sources with sizes and times, and the spec.
  var key: String
  var shape: DataShape
  var train: PartLayout
  var dev: PartLayout?
  var test: PartLayout?
  /// What the reader had to say, repeated at every start.
  var warnings: [String] = []
  /// Mean and deviation of the training part, where samples overlap and cannot tell them.
  var moments: NormalizationStatistics?

  init(
    key: String, shape: DataShape, train: PartLayout, dev: PartLayout?, test: PartLayout?,
    warnings: [String] = []
  ) {
    self.key = key
    self.shape = shape
    self.train = train
    self.dev = dev
    self.test = test
    self.warnings = warnings
  }

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.put(key)
    writer.put(shape.input, each: { $0.put($1) })
    writer.put(shape.inputNames, each: { $0.put($1) })
    writer.put(shape.oneHotColumns.sorted(), each: { $0.put($1) })
    writer.put(shape.isSequence ? 1 : 0)
    writer.put(shape.vocabularyCount.map { [$0] }, each: { $0.put($1) })
    writer.put(shape.target)
    for part in [train, dev, test] { writer.put(part) }
    writer.put(warnings, each: { $0.put($1) })
    for numbers in moments?.lists ?? [] {
      writer.put(numbers) { $0.put(Int(Int64(bitPattern: $1.bitPattern))) }
    }
    return writer.bytes
  }

  /// nil when the bytes are no such header.
  init?(decoding bytes: [UInt8]) {
    var reader = ByteReader(bytes)
    guard let key = reader.text(), let input = reader.list({ $0.integer() }),
      let names = reader.optionalList({ $0.text() }), let oneHot = reader.list({ $0.integer() }),
      let isSequence = reader.integer(), let vocabulary = reader.optionalList({ $0.integer() }),
      let target = reader.target(), let train = reader.part(), let dev = reader.part(),
      let test = reader.part(), let warnings = reader.list({ $0.text() }), let train
    else { return nil }
    var shape = DataShape(input: input, target: target)
    shape.inputNames = names
    shape.oneHotColumns = Set(oneHot)
    shape.isSequence = isSequence == 1
    shape.vocabularyCount = vocabulary?.first
    self.init(key: key, shape: shape, train: train, dev: dev, test: test, warnings: warnings)
    moments = reader.moments()
  }
}

extension ByteWriter {
  fileprivate mutating func put(_ target: TargetLayout) {
    switch target {
    case .classes(let count, let names):
      put(0)
      put(count)
      put(names, each: { $0.put($1) })
    case .numbers(let width, let names, let isMultiHot):
      put(isMultiHot ? 1 : 2)
      put(width)
      put(names, each: { $0.put($1) })
    case .classSequence(let count, let steps, let names):
      put(3)
      put(count)
      put(names, each: { $0.put($1) })
      put(steps)
    }
  }

  fileprivate mutating func put(_ part: PartLayout?) {
    put(part.map { [$0] } ?? []) { writer, part in
      writer.put(part.count)
      writer.put(Int(part.element.rawValue))
      writer.put(part.inputOffset)
      writer.put(part.targetOffset)
      writer.put(part.windows.map { [$0] } ?? []) { writer, windows in
        writer.put(windows.stride)
        writer.put(windows.starts)
        writer.put(windows.inputWidth)
        writer.put(windows.targetWidth)
        writer.put(Int(windows.targetElement.rawValue))
      }
    }
  }
}

extension ByteReader {
  fileprivate mutating func target() -> TargetLayout? {
    guard let kind = integer(), let width = integer(), let names = optionalList({ $0.text() })
    else { return nil }
    switch kind {
    case 0: return .classes(count: width, names: names)
    case 1, 2: return .numbers(width: width, names: names, isMultiHot: kind == 1)
    case 3:
      return integer().map { .classSequence(count: width, steps: $0, names: names) }
    default: return nil
    }
  }

  /// nil when damaged, `.some(nil)` when there is no such part.
  fileprivate mutating func part() -> PartLayout?? {
    let parts = list { reader -> PartLayout? in
      guard let count = reader.integer(), let element = reader.element(),
        let inputOffset = reader.integer(), let targetOffset = reader.integer(),
        let windows = reader.list({ $0.windows() })
      else { return nil }
      return PartLayout(
        count: count, element: element, inputOffset: inputOffset, targetOffset: targetOffset,
        windows: windows.first)
    }
    guard let parts, parts.count <= 1 else { return nil }
    return .some(parts.first)
  }

  private mutating func element() -> ElementKind? {
    integer().flatMap { UInt8(exactly: $0) }.flatMap(ElementKind.init(rawValue:))
  }

  private mutating func windows() -> WindowLayout? {
    guard let stride = integer(), let starts = integer(), let inputWidth = integer(),
      let targetWidth = integer(), let targetElement = element()
    else { return nil }
    return WindowLayout(
      stride: stride, starts: starts, inputWidth: inputWidth, targetWidth: targetWidth,
      targetElement: targetElement)
  }

  /// nil where the header ends before them.
  fileprivate mutating func moments() -> NormalizationStatistics? {
    func numbers(_ reader: inout ByteReader) -> [Double]? {
      reader.list { $0.integer().map { Double(bitPattern: UInt64(bitPattern: Int64($0))) } }
    }
    guard let mean = numbers(&self), let deviation = numbers(&self),
      let targetMean = numbers(&self), let targetDeviation = numbers(&self)
    else { return nil }
    return NormalizationStatistics(
      mean: mean, deviation: deviation, targetMean: targetMean, targetDeviation: targetDeviation)
  }
}
