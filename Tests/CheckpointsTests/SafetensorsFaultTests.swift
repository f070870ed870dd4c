import Checkpoints
import Storage
import Testing

/// Every way in which the head of a safetensors file can be wrong, with the place and the problem that
/// the user reads.
@Suite("Damaged safetensors files")
struct SafetensorsFaultTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let header: String
    var dataByteCount = 0
    let offset: Int
    let problem: String

    var testDescription: String { problem }
  }

  static let cases: [Case] = [
    Case(header: "", offset: 8, problem: json("a value is missing; the end of the text is there")),
    Case(header: "[]", offset: 8, problem: "the header is not a JSON object"),
    Case(
      header: #"{"a":"#, offset: 13,
      problem: json("a value is missing; the end of the text is there")),
    Case(header: #"{"a" 1}"#, offset: 13, problem: json("':' is missing; '1' is there")),
    Case(
      header: #"{"a":1,}"#, offset: 15, problem: json("a name in quotes is missing; '}' is there")),
    Case(header: #"{"a":01}"#, offset: 14, problem: json("',' or '}' is missing; '1' is there")),
    Case(header: #"{"a":1.}"#, offset: 15, problem: json("a digit is missing; '}' is there")),
    Case(header: #"{"a":tru}"#, offset: 13, problem: json("a value is missing; 't' is there")),
    Case(header: "{} x", offset: 11, problem: json("the end is missing; 'x' is there")),
    Case(header: "{\"a\u{1}\":1}", offset: 11, problem: json("a control character inside a text")),
    Case(header: #"{"a\x":1}"#, offset: 11, problem: json("an escape that JSON does not know")),
    Case(header: #"{"\ud800":1}"#, offset: 10, problem: json("an escape that JSON does not know")),
    Case(header: #"{"abc"#, offset: 9, problem: json("a text without its closing quote")),
    Case(
      header: String(repeating: "[", count: 33), offset: 40,
      problem: json("more than 32 levels of brackets")),
    Case(
      header: #"{"a":1,"a":2}"#, offset: 15, problem: json(#"the name "a" appears twice"#)),
    Case(header: #"{"__metadata__":1}"#, offset: 24, problem: "__metadata__ is not an object"),
    Case(
      header: #"{"__metadata__":{"k":1}}"#, offset: 29,
      problem: "__metadata__ holds something other than text under 'k'"),
    Case(
      header: #"{"a":1}"#, offset: 13, problem: "tensor 'a' is not described by an object"),
    Case(
      header: #"{"a":{"dtype":"F32","shape":[1]}}"#, offset: 13,
      problem: "tensor 'a' has no field 'data_offsets'"),
    Case(
      header: #"{"a":{"dtype":"F32","shape":[1],"offset":0}}"#, offset: 40,
      problem: "tensor 'a' has an unknown field 'offset'"),
    Case(
      header: tensor(type: #"7"#), offset: 22, problem: "tensor 'a': dtype is not a text"),
    Case(
      header: tensor(shape: "[-1]"), offset: 36,
      problem: "tensor 'a': shape is not a list of sizes"),
    Case(
      header: tensor(shape: "[1.5]"), offset: 36,
      problem: "tensor 'a': shape is not a list of sizes"),
    Case(
      header: tensor(offsets: "[4,0]"), offset: 55,
      problem: "tensor 'a': data_offsets is not a pair [begin, end]"),
    Case(
      header: tensor(offsets: "[0,4,8]"), offset: 55,
      problem: "tensor 'a': data_offsets is not a pair [begin, end]"),
    Case(
      header: tensor(offsets: "[0,99999999999999999999]"), offset: 55,
      problem: "tensor 'a': data_offsets is not a pair [begin, end]"),
    Case(
      header: tensor(offsets: "[0,8]"), dataByteCount: 8, offset: 55,
      problem: "tensor 'a' of type F32 and shape [1] does not fill its 8 bytes"),
    Case(
      header: tensor(shape: "[4294967296,4294967296]"), offset: 75,
      problem:
        "tensor 'a' of type F32 and shape [4294967296, 4294967296] does not fill its 4 bytes"),
    Case(
      header: tensor(), dataByteCount: 3, offset: 55,
      problem: "tensor 'a' ends 4 bytes into the data, of which the file has only 3"),
    Case(header: tensor(), dataByteCount: 6, offset: 66, problem: "2 bytes follow the last tensor"),
    Case(
      header: tensor(offsets: "[4,8]"), dataByteCount: 8, offset: 62,
      problem: "the bytes 62..<66 belong to no tensor"),
    Case(
      header: "{" + entry("a", "[0,4]") + "," + entry("b", "[2,6]") + "}", dataByteCount: 6,
      offset: 62, problem: "tensor 'b' begins at byte 117, inside tensor 'a', which ends at 119"),
  ]

  static func json(_ problem: String) -> String { "the header is not valid JSON: \(problem)" }

  static func entry(_ name: String, _ offsets: String) -> String {
    #""\#(name)":{"dtype":"F32","shape":[1],"data_offsets":\#(offsets)}"#
  }

  static func tensor(
    type: String = #""F32""#, shape: String = "[1]", offsets: String = "[0,4]"
  ) -> String {
    #"{"a":{"dtype":\#(type),"shape":\#(shape),"data_offsets":\#(offsets)}}"#
  }

  static func file(header: [UInt8], dataByteCount: Int = 0) -> [UInt8] {
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    return length + header + [UInt8](repeating: 0, count: dataByteCount)
  }

  @Test("a damaged header is named with its byte", arguments: cases)
  func damaged(_ damage: Case) throws {
    let bytes = Self.file(header: Array(damage.header.utf8), dataByteCount: damage.dataByteCount)
    let (path, text) = try Self.answer(to: bytes)
    #expect(
      text == """
        \(path): byte \(damage.offset): \(damage.problem)
          expected: a whole safetensors file
          to fix:   copy or export the file again
        """)
  }

  @Test("an unknown element type is answered with the known ones")
  func unknownType() throws {
    let header = Self.tensor(type: #""F8_E4M3""#)
    let (path, text) = try Self.answer(to: Self.file(header: Array(header.utf8), dataByteCount: 1))
    #expect(
      text == """
        \(path): byte 22: tensor 'a' has the element type 'F8_E4M3'
          expected: one of BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64
          to fix:   export the tensor in one of these types
        """)
  }

  @Test(
    "a file that is too short or claims too long a header is refused",
    arguments: [
      ([], "the file has 0 bytes, too few for the header's length"),
      ([1, 2, 3], "the file has 3 bytes, too few for the header's length"),
      (
        [9, 0, 0, 0, 0, 0, 0, 0, 0x7B], "the header ends at byte 17, but the file has only 9 bytes"
      ),
      (
        [UInt8](repeating: 255, count: 8),
        "a header of 18446744073709551615 bytes is longer than 100000000"
      ),
    ] as [([UInt8], String)])
  func head(bytes: [UInt8], problem: String) throws {
    let (path, text) = try Self.answer(to: bytes)
    #expect(
      text == """
        \(path): byte 0: \(problem)
          expected: a whole safetensors file
          to fix:   copy or export the file again
        """)
  }

  @Test("bytes that are not UTF-8 are refused")
  func notText() throws {
    let (path, text) = try Self.answer(to: Self.file(header: [0x7B, 0x22, 0xFF, 0x22, 0x3A]))
    #expect(
      text == """
        \(path): byte 9: the header is not valid JSON: a text that is not UTF-8
          expected: a whole safetensors file
          to fix:   copy or export the file again
        """)
  }

  @Test("a file cut off at any byte is refused, never read")
  func everyTruncation() throws {
    let place = try TemporaryFolder()
    for length in 0..<SafetensorsTests.golden.count {
      try writeQuickly(Array(SafetensorsTests.golden.prefix(length)), to: place.path(to: "x"))
      #expect(throws: (any Error).self) { try SafetensorsFile(path: place.path(to: "x")) }
    }
  }

  private static func answer(to bytes: [UInt8]) throws -> (path: String, text: String) {
    let place = try TemporaryFolder()
    let path = place.path(to: "x.safetensors")
    try AtomicFile.write(bytes, to: path)
    return (path, message { _ = try SafetensorsFile(path: path) })
  }
}
