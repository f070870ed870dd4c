import Diagnostics

extension CheckpointRecord {
  static let formatVersion = 1

  /// The text of `checkpoint.json`; equal records give equal texts.
  package var text: String {
    let root = JSONNode.object([
      ("format_version", .integer(Self.formatVersion)),
      ("step", .integer(step)),
      ("epoch", .integer(epoch)),
      ("samples_into_epoch", .integer(samplesIntoEpoch)),
      ("seed", .integer(seed)),
      ("model_fingerprint", .string(modelFingerprint)),
      ("best_metric", bestMetric.map(JSONNode.double) ?? JSONNode(value: .null)),
      ("is_best", JSONNode(value: .bool(isBest))),
      ("normalization", .object(normalization) { .array($0.map(JSONNode.double)) }),
      ("counters", .object(counters) { .integer($0) }),
      ("metrics", .object(metrics) { .double($0) }),
      ("settings", .object(settings) { .string($0) }),
      ("resolved_config", .string(resolvedConfig)),
    ])
    return root.indentedText() + "\n"
  }

  /// - Parameter path: The file the bytes come from, for messages.
  package init(json bytes: [UInt8], path: String) throws {
    let root: JSONNode
    do throws(JSONFault) { root = try JSONParser.parse(bytes) } catch {
      throw RecordReader.fault(path, error.offset, "the file is not valid JSON: \(error.problem)")
    }
    let reader = try RecordReader(root, path: path)
    let version = try reader.integer("format_version", as: Int.self)
    guard version == Self.formatVersion else {
      throw Diagnostic(
        place: path, problem: "the checkpoint has format version \(version)",
        expected: "version \(Self.formatVersion), the one this program reads",
        remedy: "use the program that wrote it, or start over with --fresh")
    }
    self.init(
      step: try reader.integer("step", as: Int.self),
      epoch: try reader.integer("epoch", as: Int.self),
      samplesIntoEpoch: try reader.integer("samples_into_epoch", as: Int.self),
      seed: try reader.integer("seed", as: UInt64.self))
    modelFingerprint = try reader.value("model_fingerprint", "a text") { $0.text }
    isBest = try reader.value("is_best", "true or false") { $0.bool }
    bestMetric = try reader.value("best_metric", "a number or null") {
      $0.value == .null ? .some(nil) : $0.double.map { .some($0) }
    }
    normalization = try reader.dictionary("normalization", "lists of numbers") { node in
      let numbers = node.elements?.compactMap(\.double)
      return numbers?.count == node.elements?.count ? numbers : nil
    }
    counters = try reader.dictionary("counters", "whole numbers") { $0.integer(Int.self) }
    metrics = try reader.dictionary("metrics", "numbers") { $0.double }
    settings = try reader.dictionary("settings", "texts") { $0.text }
    resolvedConfig = try reader.value("resolved_config", "a text") { $0.text }
  }
}

/// Finds the fields of a `checkpoint.json` and says which is missing or wrong.
private struct RecordReader {
  private let members: [JSONNode.Member]
  private let path: String

  init(_ root: JSONNode, path: String) throws {
    guard let members = root.members else {
      throw Self.fault(path, root.offset, "the file does not hold a JSON object")
    }
    self.members = members
    self.path = path
  }

  func value<Content>(
    _ name: String, _ kind: String, _ read: (JSONNode) -> Content?
  ) throws -> Content {
    guard let member = members.first(where: { $0.name == name }) else {
      throw Self.fault(path, 0, "the field '\(name)' is missing")
    }
    guard let content = read(member.node) else {
      throw Self.fault(path, member.node.offset, "the field '\(name)' is not \(kind)")
    }
    return content
  }

  func integer<Number: FixedWidthInteger>(_ name: String, as type: Number.Type) throws -> Number {
    try value(name, "a whole number") { $0.integer(type) }
  }

  func dictionary<Content>(
    _ name: String, _ kind: String, _ read: (JSONNode) -> Content?
  ) throws -> [String: Content] {
    try value(name, "an object of \(kind)") { node in
      guard let members = node.members else { return nil }
      var dictionary: [String: Content] = [:]
      for member in members {
        guard let content = read(member.node) else { return nil }
        dictionary[member.name] = content
      }
      return dictionary
    }
  }

  static func fault(_ path: String, _ offset: Int, _ problem: String) -> Diagnostic {
    Diagnostic(
      place: "\(path): byte \(offset)", problem: problem, expected: "the file as it was saved",
      remedy: "restore the file, or delete this checkpoint's folder")
  }
}
