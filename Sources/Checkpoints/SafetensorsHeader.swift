import Diagnostics
import Storage

/// What the head of a safetensors file says: which tensor lies where.
///
/// File: 8 bytes little-endian header length, header (JSON), data. Offsets in the header count from
/// the start of the data; here they count from the start of the file.
///
/// Source: https://github.com/huggingface/safetensors#format
struct SafetensorsHeader: Equatable {
  struct Entry: Equatable {
    let name: String
    let type: ElementType
    let shape: [Int]
    /// Bytes of the file.
    let range: Range<Int>
    /// Where the header names this tensor, for messages.
    let offset: Int
  }

  static let longestHeader = 100_000_000
  static let lengthByteCount = 8

  /// In the order of their data.
  let entries: [Entry]
  let metadata: [String: String]

  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - path: For messages.
  init(bytes: Block<UInt8>, path: String) throws {
    let text = try Self.headerText(of: bytes, path: path)
    let fault = SafetensorsFault(path: path)
    let root: JSONNode
    do throws(JSONFault) { root = try JSONParser.parse(text) } catch {
      throw fault.at(
        Self.lengthByteCount + error.offset, "the header is not valid JSON: \(error.problem)")
    }
    guard let members = root.members else {
      throw fault.at(Self.lengthByteCount, "the header is not a JSON object")
    }
    let reader = SafetensorsEntryReader(
      dataStart: Self.lengthByteCount + text.count, fileByteCount: bytes.count, fault: fault)
    metadata = try reader.metadata(members.first { $0.name == "__metadata__" })
    entries = try members.filter { $0.name != "__metadata__" }.map(reader.entry)
      .sorted {
        ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
      }
    try reader.checkCoverage(of: entries)
  }

  private static func headerText(of bytes: Block<UInt8>, path: String) throws -> [UInt8] {
    let fault = SafetensorsFault(path: path)
    guard bytes.count >= lengthByteCount else {
      throw fault.at(0, "the file has \(bytes.count) bytes, too few for the header's length")
    }
    let length = bytes.load(UInt64.self, at: 0)
    guard length <= UInt64(longestHeader) else {
      throw fault.at(0, "a header of \(length) bytes is longer than \(longestHeader)")
    }
    let end = lengthByteCount + Int(length)
    guard end <= bytes.count else {
      throw fault.at(
        0, "the header ends at byte \(end), but the file has only \(bytes.count) bytes")
    }
    return bytes[lengthByteCount..<end].array
  }
}

/// Faults of one safetensors file, all worded alike.
struct SafetensorsFault {
  let path: String

  func at(_ offset: Int, _ problem: String) -> Diagnostic {
    Diagnostic(
      place: "\(path): byte \(offset)", problem: problem, expected: "a whole safetensors file",
      remedy: "copy or export the file again")
  }
}
