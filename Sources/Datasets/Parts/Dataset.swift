/// The samples of one file part, in mapped memory that all ranks of a node share.
package struct Dataset: Sendable {
  package let count: Int
  package let shape: DataShape
  package let element: ElementKind
  let storage: MappedArray
  private let inputOffset: Int
  private let targetOffset: Int
  /// Elements from one sample to the next, of inputs and of targets.
  private let inputStride: Int
  private let targetStride: Int

  init(_ layout: PartLayout, shape: DataShape, storage: MappedArray) {
    count = layout.count
    element = layout.element
    inputOffset = layout.inputOffset
    targetOffset = layout.targetOffset
    inputStride = layout.stride ?? shape.elementCount
    targetStride = layout.stride ?? shape.target.width
    self.shape = shape
    self.storage = storage
  }

  /// Bytes of inputs and targets.
  package var byteCount: Int {
    count * (inputStride * element.byteCount + targetStride * 4)
  }

  /// One sample's inputs as they are stored, `[elements]`.
  package func inputs(of sample: Int) -> [Float] {
    // SAFETY: inputBytes checks the sample; the copy is made while the mapping lives.
    let bytes = unsafe inputBytes(of: sample)
    switch element {
    case .uint8: return unsafe bytes.map { Float($0) }
    case .float32: return unsafe Array(bytes.bindMemory(to: Float.self))
    }
  }

  /// The class of a sample's step.
  func label(of sample: Int, step: Int) -> Int32 {
    precondition((0..<count).contains(sample), "sample \(sample) of \(count)")
    precondition((0..<shape.target.width).contains(step), "step \(step)")
    return storage.load(Int32.self, at: targetOffset + 4 * (sample * targetStride + step))
  }

  /// The class of a sample; only where targets are classes.
  package func label(of sample: Int) -> Int32 {
    guard case .classes = shape.target else { preconditionFailure("targets are no classes") }
    precondition((0..<count).contains(sample), "sample \(sample) of \(count)")
    return storage.load(Int32.self, at: targetOffset + 4 * sample)
  }

  /// A sample's target numbers, `[width]`; only where targets are no classes.
  package func values(of sample: Int) -> [Float] {
    guard case .numbers(let width, _, _) = shape.target else {
      preconditionFailure("targets are classes")
    }
    precondition((0..<count).contains(sample), "sample \(sample) of \(count)")
    return (0..<width).map {
      storage.load(Float.self, at: targetOffset + 4 * (sample * width + $0))
    }
  }

  /// One sample's input bytes; valid while the data set lives.
  func inputBytes(of sample: Int) -> UnsafeRawBufferPointer {
    precondition((0..<count).contains(sample), "sample \(sample) of \(count)")
    let byteCount = shape.elementCount * element.byteCount
    let offset = inputOffset + sample * inputStride * element.byteCount
    return unsafe storage.bytes(at: offset, count: byteCount)
  }

  /// All targets, `count · width · 4` bytes; valid while the data set lives.
  func targetBytes() -> UnsafeRawBufferPointer {
    unsafe storage.bytes(at: targetOffset, count: count * shape.target.width * 4)
  }
}
