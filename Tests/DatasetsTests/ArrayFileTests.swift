import Datasets
import Testing

/// A stored type, the bytes of two numbers, and the numbers.
struct NumberCase: Sendable {
  var type: String
  var bytes: [UInt8]
  var expected: [Float]
  var version: UInt8 = 1

  static let idx = [
    NumberCase(type: "09", bytes: [0xFF, 2], expected: [-1, 2]),
    NumberCase(
      type: "0b", bytes: bigEndian(Int16(-300)) + bigEndian(Int16(300)), expected: [-300, 300]),
    NumberCase(
      type: "0c", bytes: bigEndian(Int32(-70_000)) + bigEndian(Int32(1)), expected: [-70_000, 1]),
    NumberCase(type: "0d", bytes: floats(1.5, -2, bigEndian), expected: [1.5, -2]),
    NumberCase(type: "0e", bytes: doubles(0.25, 8, bigEndian), expected: [0.25, 8]),
  ]

  static let npy = [
    NumberCase(type: "|u1", bytes: [1, 200], expected: [1, 200]),
    NumberCase(
      type: "<i4", bytes: littleEndian(Int32(-5)) + littleEndian(Int32(6)), expected: [-5, 6]),
    NumberCase(
      type: "<i8", bytes: littleEndian(Int64(-5)) + littleEndian(Int64(1 << 20)),
      expected: [-5, 1_048_576], version: 2),
    NumberCase(type: "<f4", bytes: floats(0.5, 3, littleEndian), expected: [0.5, 3]),
    NumberCase(type: "<f8", bytes: doubles(0.5, 3, littleEndian), expected: [0.5, 3], version: 2),
    NumberCase(type: ">f4", bytes: floats(0.5, 3, bigEndian), expected: [0.5, 3]),
    NumberCase(
      type: ">i2", bytes: bigEndian(Int16(-2)) + bigEndian(Int16(2)), expected: [-2, 2]),
  ]

  private static func floats(_ a: Float, _ b: Float, _ bytes: (UInt32) -> [UInt8]) -> [UInt8] {
    bytes(a.bitPattern) + bytes(b.bitPattern)
  }

  private static func doubles(_ a: Double, _ b: Double, _ bytes: (UInt64) -> [UInt8]) -> [UInt8] {
    bytes(a.bitPattern) + bytes(b.bitPattern)
  }
}

@Suite("Array files")
struct ArrayFileTests {
  @Test("IDX images stay bytes, plain or gzipped", arguments: [false, true])
  func images(gzipped: Bool) throws {
    let folder = try TestFolder()
    let files = try folder.images([7, 0, 2], gzipped: gzipped)
    let data = try folder.load(DataSpec(source: .idx(train: files, dev: nil, test: nil)))
    #expect(data.shape.input == [2, 2])
    #expect(data.train.dataset.element == .uint8)
    #expect(data.rawInputs == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])
    #expect(data.labels == [7, 0, 2])
    #expect(data.shape.target == .classes(count: 8, names: nil))
  }

  @Test("inputs of several files stand side by side, in the order in which they are named")
  func severalInputs() throws {
    let folder = try TestFolder()
    let bytes = try folder.write("a", npy("|u1", "3, 2", [1, 2, 3, 4, 5, 6]))
    let floats = [0.5, 1.5, 2.5].flatMap { littleEndian(Float($0).bitPattern) }
    let numbers = try folder.write("b", npy("<f4", "3,", floats))
    let targets = try folder.write("y", npy("|u1", "3,", [1, 0, 1]))
    func rows(_ first: String, _ others: [String]) throws -> [[Float]] {
      let files = ArrayFiles(inputs: first, otherInputs: others, targets: targets)
      let data = try folder.load(DataSpec(source: .npy(train: files, dev: nil, test: nil)))
      #expect(data.shape.input == [data.rawInputs[0].count] && data.labels == [1, 0, 1])
      return data.rawInputs
    }
    #expect(try rows(bytes, [numbers]) == [[1, 2, 0.5], [3, 4, 1.5], [5, 6, 2.5]])
    #expect(try rows(numbers, [bytes]) == [[0.5, 1, 2], [1.5, 3, 4], [2.5, 5, 6]])
    #expect(try rows(bytes, []) == [[1, 2], [3, 4], [5, 6]])
  }

  @Test("every IDX number type is read", arguments: NumberCase.idx)
  func idxTypes(number: NumberCase) throws {
    let folder = try TestFolder()
    let files = ArrayFiles(
      inputs: try folder.write("x", idx(UInt8(number.type, radix: 16) ?? 0, [1, 2], number.bytes)),
      targets: try folder.write("y", idx(0x08, [1], [0])))
    let data = try folder.load(DataSpec(source: .idx(train: files, dev: nil, test: nil)))
    #expect(data.train.dataset.element == .float32)
    #expect(data.rawInputs == [number.expected])
  }

  @Test(
    "every NPY number type is read, in both versions and byte orders", arguments: NumberCase.npy)
  func npyTypes(number: NumberCase) throws {
    let folder = try TestFolder()
    let files = ArrayFiles(
      inputs: try folder.write(
        "x.npy", npy(number.type, "1, 2", number.bytes, version: number.version)),
      targets: try folder.write("y.npy", npy("|u1", "1,", [3])))
    let data = try folder.load(DataSpec(source: .npy(train: files, dev: nil, test: nil)))
    #expect(data.shape.input == [2])
    #expect(data.rawInputs == [number.expected])
    #expect(data.labels == [3])
  }

  @Test("several targets per sample are numbers")
  func multiHot() throws {
    let folder = try TestFolder()
    let files = ArrayFiles(
      inputs: try folder.write("x.npy", npy("|u1", "2, 1", [1, 2])),
      targets: try folder.write("y.npy", npy("|u1", "2, 3", [1, 0, 1, 0, 0, 1])))
    var spec = DataSpec(source: .npy(train: files, dev: nil, test: nil))
    spec.target = .multiHot
    let data = try folder.load(spec, outputs: 3)
    #expect(data.shape.target == .numbers(width: 3, names: nil, isMultiHot: true))
    #expect(data.train.values(at: 1) == [0, 0, 1])
  }

  @Test("dev and test come from files of their own")
  func parts() throws {
    let folder = try TestFolder()
    var spec = DataSpec(
      source: .idx(
        train: try folder.images([0, 1, 2]), dev: try folder.images([5], name: "dev"),
        test: try folder.images([1, 1], gzipped: true, name: "test")))
    spec.dev = .files
    spec.test = .files
    spec.classNames = ["a", "b", "c", "d", "e", "f"]
    let data = try folder.load(spec, outputs: 6)
    #expect(data.train.count == 3)
    #expect(data.dev?.count == 1)
    #expect(data.dev?.label(at: 0) == 5)
    #expect(data.test?.count == 2)
    #expect(data.shape.target == .classes(count: 6, names: ["a", "b", "c", "d", "e", "f"]))
  }
}
