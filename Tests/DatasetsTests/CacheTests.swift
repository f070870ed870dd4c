import Datasets
import Foundation
import Testing

@Suite("The cache of prepared data")
struct CacheTests {
  private func spec(_ folder: TestFolder, labels: [UInt8] = [0, 1, 2]) throws -> DataSpec {
    DataSpec(source: .idx(train: try folder.images(labels), dev: nil, test: nil))
  }

  private func files(_ folder: TestFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path + "/cache")
  }

  @Test("one file holds the data, and it is used again")
  func reuse() throws {
    let folder = try TestFolder()
    let spec = try spec(folder)
    let first = try folder.load(spec)
    let path = try #require(first.path)
    let identity = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
    let second = try folder.load(spec)
    #expect(second.path == path)
    #expect(try files(folder).count == 1)
    #expect(
      try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int == identity)
    #expect(second.labels == [0, 1, 2])
    #expect(second.description == first.description)
    #expect(
      first.description
        == "3 train samples of 2 x 2 bytes, 3 classes, 0.0 MB in \(path)")
  }

  @Test("changed sources and changed meanings are prepared anew")
  func keys() throws {
    let folder = try TestFolder()
    #expect(try folder.load(try spec(folder)).labels == [0, 1, 2])
    #expect(try folder.load(try spec(folder, labels: [2, 1, 1, 0])).labels == [2, 1, 1, 0])
    var values = try spec(folder, labels: [2, 1, 1, 0])
    values.target = .values
    #expect(try folder.load(values).train.values(at: 0) == [2])
  }

  @Test("a damaged file is found and made anew", arguments: [9, 60, 70, 200, 210])
  func damage(offset: Int) throws {
    let folder = try TestFolder()
    let spec = try spec(folder)
    let path = try #require(try folder.load(spec).path)
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[offset] ^= 0x40
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let data = try folder.load(spec)
    #expect(data.path == path)
    #expect(data.labels == [0, 1, 2])
    #expect(data.rawInputs[0] == [0, 1, 2, 3])
    bytes[offset] ^= 0x40
    #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == bytes)
  }

  @Test("a truncated file is found and made anew", arguments: [0, 10, 64, 200])
  func truncation(count: Int) throws {
    let folder = try TestFolder()
    let spec = try spec(folder)
    let path = try #require(try folder.load(spec).path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try whole.prefix(count).write(to: URL(fileURLWithPath: path))
    #expect(try folder.load(spec).labels == [0, 1, 2])
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
  }

  @Test("the next folder takes what the first cannot, and memory what none can")
  func fallback() throws {
    let folder = try TestFolder()
    let spec = try spec(folder)
    let blocked = try folder.write("blocked", "a file, not a folder")
    let cache = DataCache(folders: [blocked, folder.path + "/second"])
    try LoadedData.prepare(spec, seed: 1, outputs: nil, cache: cache)
    let data = try LoadedData.open(spec, seed: 1, outputs: nil, cache: cache)
    #expect(data.path?.hasPrefix(folder.path + "/second/") == true)
    #expect(data.warnings == [])

    let none = DataCache(folders: [blocked, blocked + "/x"])
    try LoadedData.prepare(spec, seed: 1, outputs: nil, cache: none)
    let own = try LoadedData.open(spec, seed: 1, outputs: nil, cache: none)
    #expect(own.path == nil)
    #expect(own.labels == [0, 1, 2])
    #expect(
      own.warnings == [
        "no cache folder can be written, so every process keeps its own copy of the data;"
          + " set XDG_CACHE_HOME to a folder on a local disk"
      ])
  }

  @Test("faults in the data leave nothing behind")
  func faults() throws {
    let folder = try TestFolder()
    let spec = try spec(folder)
    _ = try folder.message { _ = try folder.load(spec, outputs: 1) }
    #expect(try files(folder) == [])
  }

  @Test("old files are deleted when another one is written")
  func oldFiles() throws {
    let folder = try TestFolder()
    let old = try #require(try folder.load(try spec(folder)).path)
    let past = Date(timeIntervalSinceNow: -31 * 86_400)
    try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: old)
    let new = try #require(try folder.load(try spec(folder, labels: [1, 0])).path)
    #expect(try files(folder) == [new.components(separatedBy: "/").last])
  }

  @Test("several processes' worth of preparing at once does no harm")
  func atOnce() async throws {
    let folder = try TestFolder()
    let spec = try spec(folder)
    try await withThrowingTaskGroup(of: [Int32].self) { group in
      let cache = folder.cache
      for _ in 0..<8 {
        group.addTask {
          try LoadedData.prepare(spec, seed: 1, outputs: nil, cache: cache)
          return try LoadedData.open(spec, seed: 1, outputs: nil, cache: cache).labels
        }
      }
      for try await labels in group { #expect(labels == [0, 1, 2]) }
    }
  }
}
