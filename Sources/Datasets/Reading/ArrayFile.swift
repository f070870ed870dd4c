import Diagnostics

/// The formats of files that hold one array of numbers.
enum ArrayFormat: String {
  case idx, npy
}

/// A file that holds one array: its header read, its elements ready to be streamed.
struct ArrayFile: ~Copyable {
  /// Slowest dimension first; the first one counts samples.
  let shape: [Int]
  let number: NumberFormat
  /// Where the elements start, in inflated bytes.
  let dataOffset: Int
  private var file: InputFile

  init(path: String, format: ArrayFormat) throws {
    var file = try InputFile(path: path)
    let header =
      switch format {
      case .idx: try ArrayHeader(idx: &file)
      case .npy: try ArrayHeader(npy: &file)
      }
    shape = header.shape
    number = header.number
    dataOffset = file.offset
    self.file = file
  }

  var path: String { file.path }
  var sampleCount: Int { shape.first ?? 1 }
  var sampleShape: [Int] { Array(shape.dropFirst()) }
  var elementCount: Int { shape.reduce(1, *) }

  /// Where the element `index` starts, for messages.
  func place(ofElement index: Int) -> String {
    "\(path), byte \(dataOffset + index * number.byteCount)"
  }

  /// Hands out all elements in order, whole elements at a time.
  ///
  /// - Parameter body: Gets the bytes and the index of their first element.
  /// - Throws: a `Diagnostic` when the file holds fewer or more bytes than its header says.
  mutating func readElements(_ body: ([UInt8], Int) throws -> Void) throws {
    let byteCount = elementCount * number.byteCount
    var done = 0
    while done < byteCount {
      let wanted = min(1 << 20, byteCount - done)
      let bytes = try file.read(upTo: wanted)
      if bytes.count < wanted { throw truncated(after: done + bytes.count, of: byteCount) }
      try body(bytes, done / number.byteCount)
      done += wanted
    }
    if try !file.read(upTo: 1).isEmpty { throw tooLong(byteCount) }
  }

  private func truncated(after present: Int, of byteCount: Int) -> Diagnostic {
    Diagnostic(
      place: "\(path), byte \(dataOffset + present)",
      problem: "the file ends after \(present) of \(byteCount) data bytes",
      expected: layout, remedy: "download or copy the file again")
  }

  private func tooLong(_ byteCount: Int) -> Diagnostic {
    Diagnostic(
      place: "\(path), byte \(dataOffset + byteCount)",
      problem: "the file goes on after its \(byteCount) data bytes",
      expected: layout, remedy: "download or copy the file again")
  }

  private var layout: String {
    let dimensions = shape.map(String.init).joined(separator: " x ")
    let width = number.byteCount == 1 ? "1 byte" : "\(number.byteCount) bytes"
    return "\(dimensions) elements of \(width), as its header says"
  }
}

/// What the head of an array file says of the rest.
struct ArrayHeader: Equatable {
  var shape: [Int]
  var number: NumberFormat

  init(shape: [Int], number: NumberFormat) {
    self.shape = shape
    self.number = number
  }
}

func headerTooShort(_ file: borrowing InputFile, expected: String) -> Diagnostic {
  Diagnostic(
    place: "\(file.path), byte \(file.offset)", problem: "the file ends inside its header",
    expected: expected, remedy: "download or copy the file again")
}
