import Checkpoints
import Storage
import Testing

@Suite("Safetensors")
struct SafetensorsTests {
  // What the library (safetensors 0.8.0) writes:
  //   import numpy as np
  //   from safetensors.numpy import save
  //   t = {"b.weight": np.array([[1, 2], [3, 4]], np.float32), "a": np.array([1.5]),
  //        "c": np.array([1, 2, 3]), "layers.0.x": np.zeros((0, 3), np.float32),
  //        "u": np.array([7, 8, 9], np.uint8), "h": np.array([1, -2], np.float16),
  //        "i": np.array([-1], np.int32), "s": np.array(2.5, np.float32)}
  //   print(save(t, metadata={"format": "pt"}))
  static let header =
    #"{"__metadata__":{"format":"pt"},"c":{"dtype":"I64","shape":[3],"data_offsets":[0,24]},"#
    + #""a":{"dtype":"F64","shape":[1],"data_offsets":[24,32]},"#
    + #""b.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[32,48]},"#
    + #""layers.0.x":{"dtype":"F32","shape":[0,3],"data_offsets":[48,48]},"#
    + #""s":{"dtype":"F32","shape":[],"data_offsets":[48,52]},"#
    + #""i":{"dtype":"I32","shape":[1],"data_offsets":[52,56]},"#
    + #""h":{"dtype":"F16","shape":[2],"data_offsets":[56,60]},"#
    + #""u":{"dtype":"U8","shape":[3],"data_offsets":[60,63]}}       "#
  static let data =
    "01000000000000000200000000000000030000000000000000000000"
    + "0000f83f0000803f00000040000040400000804000002040ffffffff003c00c0070809"

  static var golden: [UInt8] {
    [0xF0, 0x01, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + bytes(data)
  }

  static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
  }

  static var tensors: [NamedTensor] {
    let half = AlignedMemory<UInt8>(copying: [0, 0x3C, 0, 0xC0])
    return [
      NamedTensor(name: "b.weight", shape: [2, 2], values: [1, 2, 3, 4] as [Float]),
      NamedTensor(name: "a", shape: [1], values: [1.5]),
      NamedTensor(name: "c", shape: [3], values: [1, 2, 3] as [Int64]),
      NamedTensor(name: "layers.0.x", shape: [0, 3], values: [] as [Float]),
      NamedTensor(name: "u", shape: [3], values: [7, 8, 9] as [UInt8]),
      NamedTensor(name: "h", shape: [2], type: .f16, bytes: half.block, owner: half),
      NamedTensor(name: "i", shape: [1], values: [-1] as [Int32]),
      NamedTensor(name: "s", shape: [], values: [2.5] as [Float]),
    ]
  }

  @Test(
    "memory with swapped axes is written in the order of the shape",
    arguments: [[2, 3, 4], [640, 1, 900]]
  )
  func swappedAxes(shape: [Int]) throws {
    let (a, b, c) = (shape[0], shape[1], shape[2])
    let memory = AlignedMemory(copying: (0..<a * b * c).map { Float($0) })
    let tensor = NamedTensor(
      name: "t", shape: [a, b * c], block: memory.block, swappedAxes: (a, b, c), owner: memory)
    let place = try TemporaryFolder()
    try SafetensorsLayout([tensor]).write(replacing: place.path(to: "x"))
    let expected = (0..<a).flatMap { i in
      (0..<b).flatMap { j in (0..<c).map { k in Float((k * b + j) * a + i) } }
    }
    #expect(try SafetensorsFile(path: place.path(to: "x")).floats("t") == expected)
    #expect(tensor.floats() == expected)
  }

  @Test("the library's bytes are read")
  func reading() throws {
    let place = try TemporaryFolder()
    try AtomicFile.write(Self.golden, to: place.path(to: "g"))
    let file = try SafetensorsFile(path: place.path(to: "g"))
    #expect(file.metadata == ["format": "pt"])
    #expect(file.names == ["c", "a", "b.weight", "layers.0.x", "s", "i", "h", "u"])
    #expect(file.shapes.map(\.shape) == [[3], [1], [2, 2], [0, 3], [], [1], [2], [3]])
    #expect(try file.floats("b.weight") == [1, 2, 3, 4])
    #expect(try file.doubles("a") == [1.5])
    #expect(try file.floats("a") == [1.5])
    #expect(try file.doubles("h") == [1, -2])
    #expect(try file.doubles("s") == [2.5])
    #expect(try file.integers("c") == [1, 2, 3])
    #expect(try file.integers("i") == [-1])
    #expect(try file.floats("u") == [7, 8, 9])
    #expect(try file.floats("layers.0.x") == [])
    #expect(try file.tensor("u").type == .u8)
    #expect(file.contains("u") && !file.contains("v"))
  }

  @Test("the same tensors give the library's bytes, whatever their order")
  func writing() throws {
    let place = try TemporaryFolder()
    let path = place.path(to: "x")
    for tensors in [Self.tensors, Self.tensors.reversed()] {
      let digest = try SafetensorsLayout(tensors).write(replacing: path)
      #expect(try FileContents.bytes(of: path) == Self.golden)
      #expect(try SHA256.hex(ofFile: path) == digest)
    }
  }

  @Test("brain floats are the upper half of floats")
  func brainFloats() {
    let memory = AlignedMemory<UInt8>(copying: [0x80, 0x3F, 0x20, 0xC0])
    let tensor = NamedTensor(
      name: "b", shape: [2], type: .bf16, bytes: memory.block, owner: memory)
    #expect(tensor.floats() == [1, -2.5])
    #expect(tensor.doubles() == [1, -2.5])
    #expect(tensor.integers() == nil)
  }

  @Test("numbers are copied into a region, with or without conversion")
  func copying() {
    let floats = AlignedMemory<Float>(count: 2)
    let doubles = AlignedMemory<Double>(count: 2)
    let tensor = NamedTensor(name: "t", shape: [2], values: [0.1, -3] as [Float])
    tensor.copy(into: floats.block)
    tensor.copy(into: doubles.block)
    #expect(floats.array == [0.1, -3])
    #expect(doubles.array == [Double(Float(0.1)), -3])
  }

  @Test("a file without tensors and names with quotes, blanks and umlauts survive")
  func oddNames() throws {
    let place = try TemporaryFolder()
    let path = place.path(to: "x")
    try SafetensorsLayout([], metadata: [:]).write(replacing: path)
    #expect(try SafetensorsFile(path: path).names == [])
    let names = ["\"quoted\"", "back\\slash", "größe", "line\nbreak\u{1}", "日本"]
    let tensors = names.map { NamedTensor(name: $0, shape: [1], values: [1] as [Float]) }
    try SafetensorsLayout(tensors, metadata: ["ü": "\t"]).write(replacing: path)
    let file = try SafetensorsFile(path: path)
    #expect(Set(file.names) == Set(names))
    #expect(file.metadata == ["ü": "\t"])
  }

  @Test("a tensor that is not there is answered with the names that are")
  func unknownTensor() throws {
    let place = try TemporaryFolder()
    let path = place.path(to: "x")
    try AtomicFile.write(Self.golden, to: path)
    let file = try SafetensorsFile(path: path)
    #expect(
      message { _ = try file.tensor("b.weihgt") } == """
        \(path): the file has no tensor 'b.weihgt'
          expected: one of its tensors: c, a, b.weight, layers.0.x, s, i, h, u
          to fix:   did you mean 'b.weight'?
        """)
    #expect(
      message { _ = try file.integers("a") } == """
        \(path): tensor 'a' has the element type F64
          expected: integers (I64, I32, U8, ...)
          to fix:   save the tensor with an integer type
        """)
  }
}
