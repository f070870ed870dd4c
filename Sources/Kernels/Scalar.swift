import CInstructionSet

/// A number the kernels compute with: Float to train, Double to certify the same source by
/// central differences.
package protocol Scalar: BinaryFloatingPoint, SIMDScalar, Codable, BitwiseCopyable,
  Sendable
{
  /// 64 bytes of numbers: one register of AVX-512, two of AVX2, four of NEON.
  associatedtype Vector: SIMD where Vector.Scalar == Self
}

extension Float: Scalar {
  package typealias Vector = SIMD16<Float>
}

extension Double: Scalar {
  package typealias Vector = SIMD8<Double>
}

/// What this binary was compiled for.
package enum InstructionSet {
  package static var name: String { CPU_INSTRUCTION_SET }
  package static var vectorBytes: Int { Int(CPU_VECTOR_BYTES) }
  package static var vectorRegisters: Int { Int(CPU_VECTOR_REGISTERS) }
}
