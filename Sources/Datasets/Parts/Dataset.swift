import Diagnostics

/// The samples of one file part, in mapped memory that all ranks of a node share.
package struct Dataset: Sendable {
  package let count: Int
  package let shape: DataShape
  package let element: ElementKind
  let storage: MappedArray
  let windows: WindowLayout
  /// A mapped file whose tokens nobody has checked; nil: all is checked.
  let uncheckedFile: String?
  private let inputOffset: Int
  private let targetOffset: Int

  init(_ layout: PartLayout, shape: DataShape, storage: MappedArray) {
    count = layout.count
    element = layout.element
    inputOffset = layout.inputOffset
    targetOffset = layout.targetOffset
    windows = layout.windows ?? .apart(count: layout.count, shape: shape)
    uncheckedFile = layout.uncheckedFile
    self.shape = shape
    self.storage = storage
  }

  /// Checks the tokens of the window that starts at a row, inputs and targets.
  func checkTokens(from row: Int) throws {
    guard let path = uncheckedFile, let count = shape.vocabularyCount else { return }
    let tokens = shape.elementCount + 1
    let offset = inputOffset + row * element.byteCount
    // SAFETY: a window has one token more than inputs, its last target.
    let bytes = unsafe storage.bytes(at: offset, count: tokens * element.byteCount)
    for index in 0..<tokens {
      let token = unsafe token(index, of: bytes)
      guard token < 0 || token >= count else { continue }
      throw Diagnostic(
        place: "\(path), byte \(offset + index * element.byteCount)",
        problem: "token \(token < 0 ? "below 0 or beyond 2^31" : "\(token)")",
        expected: "0 to \(count - 1), since data.vocabulary is \(count)",
        remedy: "make data.vocabulary larger, or write the file again by the vocabulary in use")
    }
  }

  /// The row at which a sample starts; samples that lie one after another are rows.
  func start(of sample: Int) -> Int {
    precondition((0..<count).contains(sample), "sample \(sample) of \(count)")
    return sample * windows.stride
  }

  /// One sample's inputs as they are stored, `[elements]`.
  package func inputs(of sample: Int) -> [Float] {
    // SAFETY: inputBytes checks the sample; the copy is made while the mapping lives.
    let bytes = unsafe inputBytes(of: sample)
    switch element {
    case .uint8: return unsafe bytes.map { Float($0) }
    case .float32: return unsafe Array(bytes.bindMemory(to: Float.self))
    case .uint16, .int32, .int64:
      return (0..<shape.elementCount).map { Float(unsafe token($0, of: bytes)) }
    }
  }

  /// The class of a sample; only where targets are classes.
  package func label(of sample: Int) -> Int32 {
    guard case .classes = shape.target else { preconditionFailure("targets are no classes") }
    precondition((0..<count).contains(sample), "sample \(sample) of \(count)")
    return storage.load(Int32.self, at: targetOffset + 4 * sample)
  }

  /// A sample's target numbers, `[width]`; only where targets are no classes.
  package func values(of sample: Int) -> [Float] {
    guard case .numbers = shape.target else { preconditionFailure("targets are classes") }
    // SAFETY: targets are Float numbers; the copy is made while the mapping lives.
    return unsafe Array(targetBytes(from: start(of: sample)).bindMemory(to: Float.self))
  }

  /// One sample's input bytes; valid while the data set lives.
  func inputBytes(of sample: Int) -> UnsafeRawBufferPointer {
    unsafe inputBytes(from: start(of: sample))
  }

  /// The input bytes of the window that starts at a row.
  @inline(__always)
  func inputBytes(from row: Int) -> UnsafeRawBufferPointer {
    let offset = inputOffset + row * windows.inputWidth * element.byteCount
    return unsafe storage.bytes(at: offset, count: shape.elementCount * element.byteCount)
  }

  /// The targets of the window that starts at a row, `[width]` numbers of `windows.targetElement`.
  @inline(__always)
  func targetBytes(from row: Int) -> UnsafeRawBufferPointer {
    let byteCount = windows.targetElement.byteCount
    let offset = targetOffset + row * windows.targetWidth * byteCount
    return unsafe storage.bytes(at: offset, count: shape.target.width * byteCount)
  }

  /// The token `index` of bytes that hold tokens of this data set; -1 where it is none that 32 bits hold.
  @inline(__always)
  func token(_ index: Int, of bytes: UnsafeRawBufferPointer) -> Int32 {
    // SAFETY: callers ask for tokens of a sample, whose bytes these are.
    switch element {
    case .uint8: Int32(unsafe bytes[index])
    case .uint16: Int32(unsafe bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    case .int64:
      Int32(exactly: unsafe bytes.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self)) ?? -1
    case .int32: unsafe bytes.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)
    case .float32: preconditionFailure("numbers are no tokens")
    }
  }
}

extension WindowLayout {
  /// Samples that lie one after another: each is a row.
  fileprivate static func apart(count: Int, shape: DataShape) -> WindowLayout {
    let isNumbers = if case .numbers = shape.target { true } else { false }
    return WindowLayout(
      stride: 1, starts: count, inputWidth: shape.elementCount, targetWidth: shape.target.width,
      targetElement: isNumbers ? .float32 : .int32)
  }
}
