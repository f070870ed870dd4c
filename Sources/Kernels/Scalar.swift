import CInstructionSet

/// A number the kernels compute with: Float to train, Double to certify the same source by
/// central differences.
package protocol Scalar: VectorMath, BitwiseCopyable, Sendable {}

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
