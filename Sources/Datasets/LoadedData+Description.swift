extension LoadedData: CustomStringConvertible {
  /// Samples of all parts, for the run's header.
  package var sampleCounts: [(part: String, count: Int)] {
    [("train", Optional(train)), ("dev", dev), ("test", test)].compactMap { name, part in
      part.map { (name, $0.count) }
    }
  }

  /// Bytes of all arrays.
  package var byteCount: Int { train.dataset.storage.byteCount }

  /// `54000 train, 6000 dev, 10000 test samples of 28 x 28 bytes, 10 classes, 55.2 MB in /tmp/x.data`
  package var description: String {
    let counts = sampleCounts.map { "\($0.count) \($0.part)" }.joined(separator: ", ")
    let extent = shape.input.map(String.init).joined(separator: " x ")
    let unit = train.dataset.element.unit
    let place = path.map { "in \($0)" } ?? "in private memory"
    return "\(counts) samples of \(extent) \(unit), \(shape.target), \(megabytes) MB \(place)"
  }

  private var megabytes: String {
    let tenths = (byteCount + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension TargetLayout: CustomStringConvertible {
  package var description: String {
    switch self {
    case .classes(let count, _): "\(count) classes"
    case .classSequence(let count, let steps, _): "\(count) classes at each of \(steps) steps"
    case .numbers(let width, _, let isMultiHot):
      "\(width) \(isMultiHot ? "yes/no target" : "target")\(width == 1 ? "" : "s")"
    }
  }
}

extension ElementKind {
  fileprivate var unit: String {
    switch self {
    case .uint8: "bytes"
    case .float32: "floats"
    case .uint16, .int32, .int64: "tokens"
    }
  }
}
