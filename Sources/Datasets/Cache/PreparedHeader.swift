/// Where one part's arrays lie in a prepared file.
struct PartLayout: Equatable {
  var count: Int
  var element: ElementKind
  /// `[count, elements]` numbers of `element`.
  var inputOffset: Int
  /// `[count]` Int32 classes, `[count, steps]` of them, or `[count, width]` Float values.
  var targetOffset: Int
  /// Elements from one sample's inputs to the next's, and from its targets to the next's; nil: samples do not overlap.
  var stride: Int?
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
    writer.put(shape.target)
    for part in [train, dev, test] { writer.put(part) }
    writer.put(warnings, each: { $0.put($1) })
    return writer.bytes
  }

  /// nil when the bytes are no such header.
  init?(decoding bytes: [UInt8]) {
    var reader = ByteReader(bytes)
    guard let key = reader.text(), let input = reader.list({ $0.integer() }),
      let names = reader.optionalList({ $0.text() }), let oneHot = reader.list({ $0.integer() }),
      let target = reader.target(), let train = reader.part(), let dev = reader.part(),
      let test = reader.part(), let warnings = reader.list({ $0.text() }), let train
    else { return nil }
    var shape = DataShape(input: input, target: target)
    shape.inputNames = names
    shape.oneHotColumns = Set(oneHot)
    self.init(key: key, shape: shape, train: train, dev: dev, test: test, warnings: warnings)
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
      writer.put(part.stride ?? 0)
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
      guard let count = reader.integer(), let code = reader.integer(),
        let element = UInt8(exactly: code).flatMap(ElementKind.init(rawValue:)),
        let inputOffset = reader.integer(), let targetOffset = reader.integer(),
        let stride = reader.integer()
      else { return nil }
      return PartLayout(
        count: count, element: element, inputOffset: inputOffset, targetOffset: targetOffset,
        stride: stride == 0 ? nil : stride)
    }
    guard let parts, parts.count <= 1 else { return nil }
    return .some(parts.first)
  }
}
