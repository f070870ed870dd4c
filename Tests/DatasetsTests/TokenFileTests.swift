import Datasets
import Foundation
import Storage
import Testing

@Suite("Files of tokens")
struct TokenFileTests {
  private func spec(
    _ path: String, window: Int = 3, vocabulary: Int = 50, stride: Int? = nil
  ) -> DataSpec {
    var tokens = TokensSpec(train: path, vocabulary: vocabulary, window: window)
    tokens.stride = stride
    return DataSpec(source: .tokens(tokens))
  }

  /// Inputs and targets of a part's samples, as a step gets them.
  private func samples(
    _ loader: BatchLoader<Float>, _ positions: Range<Int>, epoch: Int? = nil
  ) throws -> [(inputs: [Float], targets: [Int32])] {
    let width = loader.elementCount
    let inputs = AlignedMemory<Float>(count: positions.count * width)
    let classes = AlignedMemory<Int32>(count: positions.count * width)
    try loader.checkTokens(positions, order: nil, epoch: epoch)
    loader.loadInputs(positions, order: nil, epoch: epoch, into: inputs.block)
    loader.loadClasses(positions, order: nil, epoch: epoch, into: classes.block)
    return (0..<positions.count).map { sample in
      let range = sample * width..<(sample + 1) * width
      return (inputs.block[range].array, classes.block[range].array)
    }
  }

  /// The numbers 0 to 9 in each kind of file.
  static let allKinds = ["u1", "u2", "i4", "u4", "i8", "bin"]

  private func write(_ kind: String, _ numbers: [Int], in folder: TestFolder) throws -> String {
    if kind == "bin" {
      return try folder.write("t.bin", numbers.flatMap { littleEndian(UInt16($0)) })
    }
    let bytes = numbers.flatMap { number -> [UInt8] in
      switch kind {
      case "u1": [UInt8(number)]
      case "u2": littleEndian(UInt16(number))
      case "i8": littleEndian(Int64(number))
      default: littleEndian(Int32(number))
      }
    }
    let type = kind == "u1" ? "|u1" : "<\(kind)"
    return try folder.write("t.npy", npy(type, "\(numbers.count),", bytes))
  }

  @Test("windows of every kind of file, cut by place", arguments: allKinds)
  func kinds(kind: String) throws {
    let folder = try TestFolder()
    var spec = spec(try write(kind, Array(0..<14), in: folder))
    spec.test = .count(1, stratified: false)
    let data = try folder.load(spec)
    let train = try samples(
      BatchLoader(part: data.train, statistics: data.statistics), 0..<data.train.count)
    #expect(train.map(\.inputs) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    #expect(train.map(\.targets) == [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    let test = try #require(data.test)
    #expect(test.dataset.inputs(of: 0) == [10, 11, 12] && test.count == 1)
    #expect(data.shape.target == .classSequence(count: 50, steps: 3, names: nil))
    #expect(data.path == folder.path + "/t.\(kind == "bin" ? "bin" : "npy")")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/cache"))
  }

  @Test("a corpus larger than memory is not read")
  func large() throws {
    let folder = try TestFolder()
    let path = folder.path + "/large.bin"
    // 256 GiB that take no room on the disk, but for the last tokens.
    let count = 1 << 37
    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seek(toOffset: UInt64(2 * count - 8))
    try file.write(contentsOf: Data([1, 0, 2, 0, 3, 0, 4, 0]))
    try file.close()
    let start = ContinuousClock.now
    let data = try folder.load(spec(path, window: 1023, stride: 1 << 10))
    #expect(data.train.count == count >> 10)
    let loader = BatchLoader<Float>(part: data.train, statistics: data.statistics)
    let last = try samples(loader, data.train.count - 1..<data.train.count)
    #expect(last[0].inputs.suffix(4) == [0, 1, 2, 3] && last[0].targets.suffix(2) == [3, 4])
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  @Test(
    "tokens that the vocabulary does not have are named by their byte", arguments: ["u2", "i8"])
  func outOfRange(kind: String) throws {
    let folder = try TestFolder()
    let data = try folder.load(spec(try write(kind, [0, 1, 2, 3, 4, 49, 50], in: folder)))
    let loader = BatchLoader<Float>(part: data.train, statistics: data.statistics)
    try loader.checkTokens(0..<1, order: nil, epoch: nil)
    let message = try folder.message { try loader.checkTokens(0..<2, order: nil, epoch: nil) }
    let header = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/t.npy")).count
    let byte = header - (kind == "u2" ? 2 : 8)
    #expect(
      message == """
        t.npy, byte \(byte): token 50
          expected: 0 to 49, since data.vocabulary is 50
          to fix:   make data.vocabulary larger, or write the file again by the vocabulary in use
        """)
  }

  @Test("faults of the files")
  func faults() throws {
    let folder = try TestFolder()
    func message(_ path: String) throws -> String {
      try folder.message { _ = try folder.load(spec(path)) }
    }
    #expect(
      try message(folder.write("a.bin", [1, 0, 2])) == """
        a.bin: the file has 3 bytes
          expected: an even number, two bytes for each token
          to fix:   write the file again
        """)
    #expect(
      try message(folder.write("b.npy", npy("<f4", "2, 3", [UInt8](repeating: 0, count: 24))))
        == """
        b.npy: the array has 2 axes of float 32-bit numbers
          expected: one axis of little-endian integers: u1, u2, i4 or i8
          to fix:   save it by numpy.save(path, tokens.ravel().astype('<u2'))
        """)
    #expect(
      try message(folder.write("c.bin.gz", [1, 0])) == """
        c.bin.gz: the file is packed
          expected: tokens that can be mapped: .npy of one axis, or .bin of unsigned 16-bit numbers
          to fix:   unpack it with gunzip
        """)
    #expect(
      try message(folder.write("d.bin", [1, 0, 2, 0, 3, 0])) == """
        data: the train part has 3 tokens
          expected: at least 4: data.window and the token after it
          to fix:   use a longer text or a smaller window
        """)
    let short = npy("<u2", "9,", [1, 0, 2, 0])
    #expect(
      try message(folder.write("e.npy", short)) == """
        e.npy: the file has \(short.count) bytes
          expected: \(short.count + 14): 9 tokens, as its header says
          to fix:   download or copy the file again
        """)
    #expect(
      try message(folder.write("f.bin", [])) == """
        f.bin: the file is empty
          expected: a data file
          to fix:   name another file
        """)
  }
}

@Suite("Random windows")
struct RandomWindowTests {
  @Test("start anywhere, by seed, epoch and sample alone; targets are one token further")
  func windows() throws {
    let folder = try TestFolder()
    let path = try folder.write("t.bin", (0..<1000).flatMap { littleEndian(UInt16($0)) })
    var tokens = TokensSpec(train: path, vocabulary: 1000, window: 9)
    tokens.windows = .random
    var spec = DataSpec(source: .tokens(tokens))
    spec.dev = .fraction(0.1, stratified: false)
    let data = try folder.load(spec)
    #expect(data.train.count == (900 - 1) / 9)
    let loader = data.trainLoader(of: Float.self)
    let order = EpochOrder(count: data.train.count, seed: 1, epoch: 0)
    func starts(_ positions: Range<Int>, epoch: Int) -> [Int] {
      let inputs = AlignedMemory<Float>(count: positions.count * 9)
      let classes = AlignedMemory<Int32>(count: positions.count * 9)
      loader.loadInputs(positions, order: order, epoch: epoch, into: inputs.block)
      loader.loadClasses(positions, order: order, epoch: epoch, into: classes.block)
      return (0..<positions.count).map { row in
        let first = Int(inputs.block[row * 9])
        for step in 0..<9 {
          #expect(Int(inputs.block[row * 9 + step]) == first + step)
          #expect(Int(classes.block[row * 9 + step]) == first + step + 1)
        }
        return first
      }
    }
    let all = starts(0..<99, epoch: 0)
    #expect(all.allSatisfy { (0...890).contains($0) })
    #expect(Set(all).count > 85 && all.contains { $0 % 9 != 0 })
    #expect(all.min() ?? 0 < 60 && all.max() ?? 0 > 830)
    // Entered in the middle, in other portions, they are the same; another epoch has others.
    #expect(starts(40..<41, epoch: 0) + starts(41..<99, epoch: 0) == Array(all[40...]))
    #expect(starts(0..<99, epoch: 1) != all)
    // What is judged by stays where it is, and evaluating the training part as well.
    let dev = try #require(data.dev)
    #expect(dev.count == 11 && dev.dataset.inputs(of: 1)[0] == 909)
    #expect(BatchLoader<Float>(part: data.train, statistics: data.statistics).part.count == 99)
  }

  @Test("draws are uniform, also of more starts than 32 bits hold")
  func uniform() {
    let draw = WindowDraw(starts: 10, seed: 7)
    var counts = [Int](repeating: 0, count: 10)
    for sample in 0..<20_000 { counts[draw.start(epoch: 3, sample: sample)] += 1 }
    // Expected 2,000 each with a deviation of 42: five of them.
    #expect(counts.allSatisfy { abs($0 - 2000) < 5 * 42 }, "\(counts)")
    let wide = WindowDraw(starts: 1 << 40, seed: 7)
    let largest = (0..<1000).map { wide.start(epoch: 0, sample: $0) }.max() ?? 0
    #expect(largest > (1 << 40) - (1 << 34) && largest < 1 << 40)
  }
}
