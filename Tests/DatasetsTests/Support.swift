import Datasets
import Diagnostics
import Foundation
import Storage
import Testing

/// A folder that exists while the object does, with a cache of its own.
final class TestFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("datasets-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var cache: DataCache { DataCache(folders: [path + "/cache"]) }

  /// Writes a file and gives its path.
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

  /// What `body` throws, with the folder's name taken out.
  func message(_ body: () throws -> Void) throws -> String {
    do { try body() } catch let fault as Diagnostic {
      return fault.description.replacing(path + "/", with: "")
    } catch let faults as DiagnosticList {
      return faults.description.replacing(path + "/", with: "")
    }
    return "no fault"
  }

  func load(
    _ spec: DataSpec, seed: UInt64 = 1, outputs: Int? = nil, answers: Int = 1
  ) throws -> LoadedData {
    try LoadedData.prepare(spec, seed: seed, outputs: outputs, answers: answers, cache: cache)
    return try LoadedData.open(
      spec, seed: seed, outputs: outputs, answers: answers, cache: cache)
  }

  /// An IDX data set of 2 x 2 images whose pixels count up from 0, and of labels.
  func images(
    _ labels: [UInt8], gzipped: Bool = false, name: String = "train"
  ) throws -> ArrayFiles {
    let pixels = (0..<4 * labels.count).map { UInt8(truncatingIfNeeded: $0) }
    let images = idx(0x08, [labels.count, 2, 2], pixels)
    let targets = idx(0x08, [labels.count], labels)
    let ending = gzipped ? ".gz" : ""
    return ArrayFiles(
      inputs: try write("\(name)-images\(ending)", gzipped ? gzip(images) : images),
      targets: try write("\(name)-labels\(ending)", gzipped ? gzip(targets) : targets))
  }
}

/// An IDX file.
func idx(_ type: UInt8, _ shape: [Int], _ data: [UInt8]) -> [UInt8] {
  [0, 0, type, UInt8(shape.count)] + shape.flatMap { bigEndian(UInt32($0)) } + data
}

func bigEndian<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
  withUnsafeBytes(of: word.bigEndian) { Array($0) }
}

func littleEndian<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
  withUnsafeBytes(of: word.littleEndian) { Array($0) }
}

/// An NPY file, version 1 or 2.
func npy(
  _ type: String, _ shape: String, _ data: [UInt8], version: UInt8 = 1, order: String = "False"
) -> [UInt8] {
  let text = "{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(shape)), }\n"
  let length =
    version == 1 ? littleEndian(UInt16(text.utf8.count)) : littleEndian(UInt32(text.utf8.count))
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(text.utf8) + data
}

/// A gzip file of stored blocks, written without zlib (RFC 1951, section 3.2.4; RFC 1952).
func gzip(_ data: [UInt8]) -> [UInt8] {
  precondition(data.count < 65_536)
  let length = UInt16(data.count)
  return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1] + littleEndian(length) + littleEndian(~length)
    + data + littleEndian(crc32(data)) + littleEndian(UInt32(data.count))
}

private func crc32(_ data: [UInt8]) -> UInt32 {
  ~data.reduce(UInt32.max) { checksum, byte in
    (0..<8).reduce(checksum ^ UInt32(byte)) { word, _ in
      word & 1 == 1 ? word >> 1 ^ 0xEDB8_8320 : word >> 1
    }
  }
}

extension LoadedData {
  /// All inputs of the training file, as stored.
  var rawInputs: [[Float]] { (0..<train.dataset.count).map { train.dataset.inputs(of: $0) } }
  var labels: [Int32] { (0..<train.count).map { train.label(at: $0) } }
}
