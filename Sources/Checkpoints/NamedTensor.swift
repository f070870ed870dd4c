import Diagnostics
import Storage

/// A tensor as files hold it: a name, a shape (slowest dimension first), numbers.
package struct NamedTensor {
  package let name: String
  package let shape: [Int]
  package let type: ElementType
  /// The numbers as they lie in memory, in the processor's byte order; valid while this value or their owner
  /// lives.
  let bytes: Block<UInt8>
  /// The shape's axes as three, A, B and C, where memory has them as `[C, B, A]`; nil: in the shape's order.
  private let swappedAxes: (a: Int, b: Int, c: Int)?
  /// Keeps the memory alive where nobody else does.
  private let owner: AnyObject?

  package var elementCount: Int { shape.reduce(1, *) }
  package var byteCount: Int { bytes.count }

  /// - Precondition: `bytes` holds as many bytes as the shape asks for.
  package init(
    name: String, shape: [Int], type: ElementType, bytes: Block<UInt8>,
    swappedAxes: (a: Int, b: Int, c: Int)? = nil, owner: AnyObject? = nil
  ) {
    let expected = shape.reduce(type.byteCount, *)
    precondition(
      bytes.count == expected,
      "\(name): \(bytes.count) bytes for shape \(shape) of \(type.rawValue)")
    self.name = name
    self.shape = shape
    self.type = type
    self.bytes = bytes
    self.swappedAxes = swappedAxes
    self.owner = owner
  }

  /// A view of numbers that live elsewhere, such as a region of an arena.
  package init<Number: TensorNumber>(
    name: String, shape: [Int], block: Block<Number>,
    swappedAxes: (a: Int, b: Int, c: Int)? = nil, owner: AnyObject? = nil
  ) {
    self.init(
      name: name, shape: shape, type: Number.elementType, bytes: block.bytes,
      swappedAxes: swappedAxes, owner: owner)
  }

  /// A tensor with a copy of `values` of its own.
  package init<Number: TensorNumber>(name: String, shape: [Int], values: [Number]) {
    let memory = AlignedMemory(copying: values)
    self.init(name: name, shape: shape, block: memory.block, owner: memory)
  }

  /// The same numbers under another name.
  package func renamed(to name: String) -> NamedTensor {
    NamedTensor(
      name: name, shape: shape, type: type, bytes: bytes, swappedAxes: swappedAxes, owner: owner)
  }

  /// The same tensor in other memory, numbers in the same places.
  func copied(to target: Block<UInt8>, owner: AnyObject) -> NamedTensor {
    withExtendedLifetime(self.owner) { target.copy(from: bytes) }
    return NamedTensor(
      name: name, shape: shape, type: type, bytes: target, swappedAxes: swappedAxes, owner: owner)
  }
}

// MARK: The order of the shape

extension NamedTensor {
  /// Calls `body` with the bytes in the order of the shape, in one piece or several, which stay until it returns.
  package func forEachPiece(_ body: (Block<UInt8>) throws -> Void) rethrows {
    guard let axes = swappedAxes, elementCount > 0 else {
      return try withExtendedLifetime(owner) { try body(bytes) }
    }
    let rowBytes = axes.b * axes.c * type.byteCount
    let rowCount = min(axes.a, max(16, Self.pieceBytes / rowBytes))
    let memory = AlignedMemory<UInt8>(count: rowCount * rowBytes)
    for first in stride(from: 0, to: axes.a, by: rowCount) {
      let rows = first..<min(first + rowCount, axes.a)
      let piece = memory.block[0..<rows.count * rowBytes]
      withExtendedLifetime(owner) { take(rows, axes, into: piece) }
      try withExtendedLifetime(memory) { try body(piece) }
    }
  }

  private static let pieceBytes = 1 << 20

  /// This tensor with its numbers in the order of the shape.
  private var ordered: NamedTensor {
    guard swappedAxes != nil else { return self }
    let memory = AlignedMemory<UInt8>(count: byteCount)
    var offset = 0
    forEachPiece { piece in
      memory.block[offset..<offset + piece.count].copy(from: piece)
      offset += piece.count
    }
    return NamedTensor(name: name, shape: shape, type: type, bytes: memory.block, owner: memory)
  }

  private func withBytes<Result>(_ body: (Block<UInt8>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(owner) { try body(bytes) }
  }

  private func take(_ rows: Range<Int>, _ axes: (a: Int, b: Int, c: Int), into piece: Block<UInt8>)
  {
    switch type.byteCount {
    case 4: take(UInt32.self, rows, axes, into: piece)
    case 8: take(UInt64.self, rows, axes, into: piece)
    default: preconditionFailure("\(name): axes of \(type.rawValue) are not swapped")
    }
  }

  private func take<Element: BitwiseCopyable>(
    _ element: Element.Type, _ rows: Range<Int>, _ axes: (a: Int, b: Int, c: Int),
    into piece: Block<UInt8>
  ) {
    guard let source = bytes.elements(element), let target = piece.elements(element) else {
      preconditionFailure("\(name): numbers that are not aligned")
    }
    target.copy(rows: rows, swappingAxesOf: source, shape: axes)
  }
}

// MARK: Reading the numbers

extension NamedTensor {
  /// The numbers as `Float`; other types are rounded to nearest.
  package func floats() -> [Float] { converted(to: Float.self) }

  /// The numbers as `Double`; 64-bit integers beyond 2^53 are rounded to nearest.
  package func doubles() -> [Double] { converted(to: Double.self) }

  /// The numbers as integers, or nil when they are of a floating-point type or too large.
  package func integers() -> [Int]? {
    if swappedAxes != nil { return ordered.integers() }
    return withBytes { bytes in
      switch type {
      case .bool, .u8: bytes.array.map(Int.init)
      case .i8: list(of: Int8.self).map(Int.init)
      case .i16: list(of: Int16.self).map(Int.init)
      case .u16: list(of: UInt16.self).map(Int.init)
      case .i32: list(of: Int32.self).map(Int.init)
      case .u32: list(of: UInt32.self).map(Int.init)
      case .i64: list(of: Int64.self).map(Int.init)
      case .u64:
        list(of: UInt64.self).allSatisfy { $0 <= UInt64(Int.max) }
          ? list(of: UInt64.self).map { Int($0) } : nil
      case .f16, .bf16, .f32, .f64: nil
      }
    }
  }

  /// Copies the numbers into `target`, converting them where the types differ.
  package func copy<Number: BinaryFloatingPoint & TensorNumber>(into target: Block<Number>) {
    precondition(
      target.count == elementCount, "\(name): \(elementCount) numbers into \(target.count)")
    if swappedAxes != nil { return ordered.copy(into: target) }
    withBytes { bytes in
      if type == Number.elementType { return target.copyBytes(from: bytes) }
      switch type {
      case .bool, .u8: convert(UInt8.self, into: target) { Number($0) }
      case .i8: convert(Int8.self, into: target) { Number($0) }
      case .i16: convert(Int16.self, into: target) { Number($0) }
      case .u16: convert(UInt16.self, into: target) { Number($0) }
      case .i32: convert(Int32.self, into: target) { Number($0) }
      case .u32: convert(UInt32.self, into: target) { Number($0) }
      case .i64: convert(Int64.self, into: target) { Number($0) }
      case .u64: convert(UInt64.self, into: target) { Number($0) }
      case .f16: convert(UInt16.self, into: target) { Number(Float16(bitPattern: $0)) }
      case .bf16: convert(UInt16.self, into: target) { Number(Float(bitPattern: UInt32($0) << 16)) }
      case .f32: convert(Float.self, into: target) { Number($0) }
      case .f64: convert(Double.self, into: target) { Number($0) }
      }
    }
  }

  private func converted<Number: BinaryFloatingPoint & TensorNumber>(
    to number: Number.Type
  ) -> [Number] {
    let memory = AlignedMemory<Number>(count: elementCount)
    copy(into: memory.block)
    return memory.array
  }

  private func list<Source: BitwiseCopyable>(of source: Source.Type) -> [Source] {
    (0..<elementCount).map { bytes.load(Source.self, at: $0 * type.byteCount) }
  }

  private func convert<Source: BitwiseCopyable, Target: BitwiseCopyable>(
    _ source: Source.Type, into target: Block<Target>, _ change: (Source) -> Target
  ) {
    for index in 0..<target.count {
      target[index] = change(bytes.load(Source.self, at: index * type.byteCount))
    }
  }
}
