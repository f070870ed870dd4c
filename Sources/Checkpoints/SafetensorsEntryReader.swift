import Diagnostics

/// Checks what a safetensors header says of its tensors, value by value.
struct SafetensorsEntryReader {
  let dataStart: Int
  let fileByteCount: Int
  let fault: SafetensorsFault

  func metadata(_ member: JSONNode.Member?) throws -> [String: String] {
    guard let member else { return [:] }
    guard let pairs = member.node.members else {
      throw at(member.node, "__metadata__ is not an object")
    }
    var metadata: [String: String] = [:]
    for pair in pairs {
      guard let text = pair.node.text else {
        throw at(pair.node, "__metadata__ holds something other than text under '\(pair.name)'")
      }
      metadata[pair.name] = text
    }
    return metadata
  }

  func entry(_ member: JSONNode.Member) throws -> SafetensorsHeader.Entry {
    let name = member.name
    guard let fields = member.node.members else {
      throw at(member.node, "tensor '\(name)' is not described by an object")
    }
    if let unknown = fields.first(where: { !Self.fieldNames.contains($0.name) }) {
      throw fault.at(
        SafetensorsHeader.lengthByteCount + unknown.offset,
        "tensor '\(name)' has an unknown field '\(unknown.name)'")
    }
    func field(_ key: String) throws -> JSONNode {
      guard let found = fields.first(where: { $0.name == key }) else {
        throw at(member.node, "tensor '\(name)' has no field '\(key)'")
      }
      return found.node
    }
    let type = try elementType(try field("dtype"), of: name)
    let shape = try shape(try field("shape"), of: name)
    let range = try range(try field("data_offsets"), of: name, type: type, shape: shape)
    return SafetensorsHeader.Entry(
      name: name, type: type, shape: shape, range: range,
      offset: SafetensorsHeader.lengthByteCount + member.offset)
  }

  /// Every byte of the data belongs to exactly one tensor.
  ///
  /// - Parameter entries: In the order of their data.
  func checkCoverage(of entries: [SafetensorsHeader.Entry]) throws {
    var end = dataStart
    var previous = ""
    for entry in entries {
      let start = entry.range.lowerBound
      if start < end {
        throw fault.at(
          entry.offset,
          "tensor '\(entry.name)' begins at byte \(start), inside tensor '\(previous)', which ends at \(end)"
        )
      }
      if start > end {
        throw fault.at(end, "the bytes \(end)..<\(start) belong to no tensor")
      }
      end = entry.range.upperBound
      previous = entry.name
    }
    guard end == fileByteCount else {
      throw fault.at(end, "\(fileByteCount - end) bytes follow the last tensor")
    }
  }

  private static let fieldNames = ["dtype", "shape", "data_offsets"]

  private func elementType(_ node: JSONNode, of name: String) throws -> ElementType {
    guard let text = node.text else { throw at(node, "tensor '\(name)': dtype is not a text") }
    if let type = ElementType(rawValue: text) { return type }
    var unknown = at(node, "tensor '\(name)' has the element type '\(text)'")
    unknown.expected = "one of \(ElementType.allCases.map(\.rawValue).joined(separator: ", "))"
    unknown.remedy = "export the tensor in one of these types"
    throw unknown
  }

  private func shape(_ node: JSONNode, of name: String) throws -> [Int] {
    let sizes = node.elements?.map { $0.integer(Int.self) ?? -1 } ?? [-1]
    guard sizes.allSatisfy({ $0 >= 0 }) else {
      throw at(node, "tensor '\(name)': shape is not a list of sizes")
    }
    return sizes
  }

  private func range(
    _ node: JSONNode, of name: String, type: ElementType, shape: [Int]
  ) throws -> Range<Int> {
    let offsets = node.elements?.map { $0.integer(Int.self) ?? -1 } ?? []
    guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
      throw at(node, "tensor '\(name)': data_offsets is not a pair [begin, end]")
    }
    guard let needed = byteCount(type, shape), needed == offsets[1] - offsets[0] else {
      throw at(
        node,
        "tensor '\(name)' of type \(type.rawValue) and shape \(shape) does not fill its \(offsets[1] - offsets[0]) bytes"
      )
    }
    guard offsets[1] <= fileByteCount - dataStart else {
      throw at(
        node,
        "tensor '\(name)' ends \(offsets[1]) bytes into the data, of which the file has only \(fileByteCount - dataStart)"
      )
    }
    return dataStart + offsets[0]..<dataStart + offsets[1]
  }

  /// nil where the product is too large for an Int.
  private func byteCount(_ type: ElementType, _ shape: [Int]) -> Int? {
    if shape.contains(0) { return 0 }
    var bytes = type.byteCount
    for size in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      bytes = product
    }
    return bytes
  }

  private func at(_ node: JSONNode, _ problem: String) -> Diagnostic {
    fault.at(SafetensorsHeader.lengthByteCount + node.offset, problem)
  }
}
