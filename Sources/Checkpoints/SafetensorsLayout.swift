import Storage

/// Where each tensor goes in a safetensors file, decided before the first byte is written.
///
/// The file depends on the tensors alone, not on the order in which they are given: larger element
/// types first, then by name, metadata sorted, the header padded with blanks to a multiple of 8. That
/// is the order of the safetensors library, so both write the same bytes.
package struct SafetensorsLayout {
  package let byteCount: Int
  private let head: AlignedMemory<UInt8>
  private let tensors: [NamedTensor]

  /// - Precondition: Names are unique; none is `__metadata__`.
  package init(_ tensors: [NamedTensor], metadata: [String: String] = ["format": "pt"]) {
    let names = Set(tensors.map(\.name))
    precondition(names.count == tensors.count, "two tensors with one name")
    precondition(!names.contains("__metadata__"), "a tensor called __metadata__")
    self.tensors = tensors.sorted { left, right in
      left.type != right.type
        ? left.type > right.type : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
    head = AlignedMemory(copying: Self.head(self.tensors, metadata: metadata))
    byteCount = tensors.reduce(head.block.count) { $0 + $1.byteCount }
  }

  /// Writes the file and gives its SHA-256.
  package func write(into file: inout OutputFile) throws -> String {
    let digest = SHA256()
    try head.withBlock { try file.write($0, hashingInto: digest) }
    for tensor in tensors {
      try tensor.forEachPiece { try file.write($0, hashingInto: digest) }
    }
    return digest.finish()
  }

  /// Replaces the file at `path` atomically and gives its SHA-256.
  @discardableResult
  package func write(replacing path: String) throws -> String {
    let digest = SHA256()
    var file = try AtomicFile(replacing: path, expectedByteCount: byteCount)
    try head.withBlock { try file.write($0, hashingInto: digest) }
    for tensor in tensors {
      try tensor.forEachPiece { try file.write($0, hashingInto: digest) }
    }
    try file.commit()
    return digest.finish()
  }

  private static func head(_ tensors: [NamedTensor], metadata: [String: String]) -> [UInt8] {
    var members: [(String, JSONNode)] = []
    if !metadata.isEmpty { members.append(("__metadata__", .object(metadata) { .string($0) })) }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.byteCount
      members.append(
        (
          tensor.name,
          .object([
            ("dtype", .string(tensor.type.rawValue)),
            ("shape", .array(tensor.shape.map { .integer($0) })),
            ("data_offsets", .array([.integer(offset), .integer(end)])),
          ])
        ))
      offset = end
    }
    var text = Array(JSONNode.object(members).compactText.utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    let length = UInt64(text.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text
  }
}
