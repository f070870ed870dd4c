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

/// Ends a body that is compiled for any number, which nobody runs: what follows is left out of it, half of this module's
/// machine code otherwise.
@inline(__always)
func requireSpecialised<S: Scalar>(_ type: S.Type) {
  if !_isConcrete(type) { fatalError("the kernels exist for Float and Double") }
}

/// What this binary was compiled for.
package enum InstructionSet {
  package static var name: String { CPU_INSTRUCTION_SET }
  package static var vectorBytes: Int { Int(CPU_VECTOR_BYTES) }
  package static var vectorRegisters: Int { Int(CPU_VECTOR_REGISTERS) }
}
