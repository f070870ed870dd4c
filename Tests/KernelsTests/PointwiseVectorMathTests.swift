import Foundation
import Kernels
import Testing

@Suite("Vector functions in Float")
struct PointwiseVectorMathTests {
  typealias Lanes = SIMD16<Float>

  /// The largest error in units in the last place of the true value, where that is a normal number.
  private func worstError(
    from low: Float, to high: Float, _ function: (Lanes) -> Lanes, _ exact: (Double) -> Double
  ) -> (ulp: Double, at: Float) {
    var worst = (ulp: 0.0, at: Float(0))
    let count = 400_000
    for start in stride(from: 0, to: count, by: 16) {
      var x = Lanes()
      for lane in 0..<16 {
        x[lane] = low + (high - low) * Float(Double(start + lane) / Double(count - 1))
      }
      let y = function(x)
      for lane in 0..<16 {
        let truth = exact(Double(x[lane]))
        guard abs(truth) >= Double(Float.leastNormalMagnitude) else { continue }
        let error = abs(Double(y[lane]) - truth) / Double(Float(truth).ulp)
        if !(error <= worst.ulp) { worst = (error, x[lane]) }
      }
    }
    return worst
  }

  @Test(
    "exp is within 1 ulp",
    arguments: [(-87.3, 88.7), (-1, 1), (-0.001, 0.001)] as [(Float, Float)])
  func exponential(low: Float, high: Float) {
    let worst = worstError(from: low, to: high, Float.exponential) { exp($0) }
    #expect(worst.ulp <= 1, "\(worst)")
  }

  @Test("exp - 1 is within 2 ulp", arguments: [(-80, 0), (-1, 0), (-0.001, 0)] as [(Float, Float)])
  func exponentialMinusOne(low: Float, high: Float) {
    let worst = worstError(from: low, to: high, Float.exponentialMinusOne) { expm1($0) }
    #expect(worst.ulp <= 2, "\(worst)")
  }

  @Test(
    "log is within 1 ulp",
    arguments: [(1e-38, 1e-30), (0.01, 2), (0.99, 1.01), (1, 1000), (1e30, 3e38)]
      as [(Float, Float)])
  func logarithm(low: Float, high: Float) {
    let worst = worstError(from: low, to: high, Float.logarithm) { log($0) }
    #expect(worst.ulp <= 1, "\(worst)")
  }

  @Test("tanh is within 2 ulp", arguments: [(-10, 10), (-1, 1), (-0.01, 0.01)] as [(Float, Float)])
  func hyperbolicTangent(low: Float, high: Float) {
    let worst = worstError(from: low, to: high, Float.hyperbolicTangent) { tanh($0) }
    #expect(worst.ulp <= 2, "\(worst)")
  }

  @Test("erf is within 2 ulp", arguments: [(-10, 10), (-2, 2), (-0.01, 0.01)] as [(Float, Float)])
  func errorFunction(low: Float, high: Float) {
    let worst = worstError(from: low, to: high, Float.errorFunction) { erf($0) }
    #expect(worst.ulp <= 2, "\(worst)")
  }

  @Test(
    "the ends of the range behave as the C library's do",
    arguments: [
      .infinity, -.infinity, 1000, -1000, 89, -104, -100, 0, -0.0, .leastNonzeroMagnitude, 0x1p-133,
    ] as [Float])
  func specialValues(x: Float) {
    let lanes = Lanes(repeating: x)
    #expect(Float.exponential(lanes)[3] == Float(exp(Double(x))))
    #expect(Float.hyperbolicTangent(lanes)[3] == Float(tanh(Double(x))))
    #expect(abs(Float.errorFunction(lanes)[3] - Float(erf(Double(x)))) <= .leastNonzeroMagnitude)
    let logarithm = Float.logarithm(lanes)[3]
    let truth = Float(log(Double(x)))
    #expect(
      logarithm == truth || (logarithm.isNaN && truth.isNaN) || abs(logarithm / truth - 1) < 2e-7,
      "log \(logarithm)")
  }

  @Test("not-a-number goes through")
  func notANumber() {
    let lanes = Lanes(repeating: .nan)
    for function in [
      Float.exponential, Float.exponentialMinusOne, Float.logarithm, Float.hyperbolicTangent,
      Float.errorFunction,
    ] {
      #expect(function(lanes)[5].isNaN)
    }
  }

  @Test("a lane's bits do not depend on the other lanes")
  func lanesAreAlone() {
    var lanes = Lanes(repeating: -200)
    lanes[7] = 0.3
    let alone = Float.exponential(Lanes(repeating: 0.3))[0]
    #expect(Float.exponential(lanes)[7].bitPattern == alone.bitPattern)
  }
}
