import Diagnostics
import Storage

/// A safetensors file, mapped and validated; tensors are read where they lie.
package final class SafetensorsFile {
  package let path: String
  package let metadata: [String: String]
  private let file: MappedFile
  private let entries: [SafetensorsHeader.Entry]
  private let indices: [String: Int]

  package init(path: String) throws {
    let file = try MappedFile(path: path)
    let header = try file.withBytes { try SafetensorsHeader(bytes: $0, path: path) }
    self.path = path
    self.file = file
    metadata = header.metadata
    entries = header.entries
    indices = Dictionary(
      uniqueKeysWithValues: header.entries.enumerated().map { ($1.name, $0) })
  }

  package var byteCount: Int { file.byteCount }

  /// In the order of the file.
  package var names: [String] { entries.map(\.name) }

  package var shapes: [TensorShape] {
    entries.map { TensorShape(name: $0.name, shape: $0.shape) }
  }

  package var tensors: [NamedTensor] { entries.map(tensor) }

  package func contains(_ name: String) -> Bool { indices[name] != nil }

  /// The tensor called `name`; its bytes lie in the mapped file and may not be written.
  package func tensor(_ name: String) throws -> NamedTensor {
    if let index = indices[name] { return tensor(entries[index]) }
    throw Diagnostic(
      place: path, problem: "the file has no tensor '\(name)'",
      expected: names.isEmpty ? nil : "one of its tensors: \(abbreviated(names))",
      remedy: nearestName(to: name, among: names).map { "did you mean '\($0)'?" })
  }

  /// The numbers of the tensor `name`, rounded to `Float` where they are of another type.
  package func floats(_ name: String) throws -> [Float] { try tensor(name).floats() }

  package func doubles(_ name: String) throws -> [Double] { try tensor(name).doubles() }

  package func integers(_ name: String) throws -> [Int] {
    let tensor = try tensor(name)
    if let integers = tensor.integers() { return integers }
    throw Diagnostic(
      place: path, problem: "tensor '\(name)' has the element type \(tensor.type.rawValue)",
      expected: "integers (I64, I32, U8, ...)", remedy: "save the tensor with an integer type")
  }

  private func tensor(_ entry: SafetensorsHeader.Entry) -> NamedTensor {
    NamedTensor(
      name: entry.name, shape: entry.shape, type: entry.type, bytes: file.bytes[entry.range],
      owner: file)
  }
}

/// The first names of a list, and how many more there are.
func abbreviated(_ items: [String], limit: Int = 10) -> String {
  let shown = items.prefix(limit).joined(separator: ", ")
  return items.count <= limit ? shown : "\(shown) and \(items.count - limit) more"
}
