import Diagnostics
import Storage

/// A tensor as files hold it: a name, a shape (slowest dimension first), numbers.
package struct NamedTensor {
  package let name: String
  package let shape: [Int]
  package let type: ElementType
  /// The numbers in the processor's byte order; valid while this value or their owner lives.
  package let bytes: Block<UInt8>
  /// Keeps the memory alive where nobody else does.
  private let owner: AnyObject?

  package var elementCount: Int { shape.reduce(1, *) }

  /// - Precondition: `bytes` holds as many bytes as the shape asks for.
  package init(
    name: String, shape: [Int], type: ElementType, bytes: Block<UInt8>, owner: AnyObject? = nil
  ) {
    let expected = shape.reduce(type.byteCount, *)
    precondition(
      bytes.count == expected,
      "\(name): \(bytes.count) bytes for shape \(shape) of \(type.rawValue)")
    self.name = name
    self.shape = shape
    self.type = type
    self.bytes = bytes
    self.owner = owner
  }

  /// A view of numbers that live elsewhere, such as a region of an arena.
  package init<Number: TensorNumber>(name: String, shape: [Int], block: Block<Number>) {
    self.init(name: name, shape: shape, type: Number.elementType, bytes: block.bytes)
  }

  /// A tensor with a copy of `values` of its own.
  package init<Number: TensorNumber>(name: String, shape: [Int], values: [Number]) {
    let memory = AlignedMemory(copying: values)
    self.init(
      name: name, shape: shape, type: Number.elementType, bytes: memory.block.bytes, owner: memory)
  }

  /// Calls `body` with the bytes; they stay until `body` returns.
  package func withBytes<Result>(_ body: (Block<UInt8>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(owner) { try body(bytes) }
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
    withBytes { bytes in
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
