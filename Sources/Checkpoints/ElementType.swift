/// The number types of the safetensors format that this program reads.
///
/// The cases stand in the order in which the safetensors library compares them.
package enum ElementType: String, CaseIterable, Comparable, Sendable {
  case bool = "BOOL"
  case u8 = "U8"
  case i8 = "I8"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  package var byteCount: Int {
    switch self {
    case .bool, .u8, .i8: 1
    case .i16, .u16, .f16, .bf16: 2
    case .i32, .u32, .f32: 4
    case .f64, .i64, .u64: 8
    }
  }

  package static func < (left: ElementType, right: ElementType) -> Bool {
    left.order < right.order
  }

  private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// A number type of Swift that has a name in the safetensors format.
package protocol TensorNumber: BitwiseCopyable, Sendable {
  static var elementType: ElementType { get }
}

extension Float: TensorNumber { package static var elementType: ElementType { .f32 } }
extension Double: TensorNumber { package static var elementType: ElementType { .f64 } }
extension Int64: TensorNumber { package static var elementType: ElementType { .i64 } }
extension Int32: TensorNumber { package static var elementType: ElementType { .i32 } }
extension UInt64: TensorNumber { package static var elementType: ElementType { .u64 } }
extension UInt8: TensorNumber { package static var elementType: ElementType { .u8 } }
