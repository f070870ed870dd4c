import Kernels
import Storage
import Testing

@Suite("Questions about whole blocks")
struct PointwiseMagnitudesTests {
  static let counts = [0, 1, 7, 16, 33, 64, 101, 4096, 10_007]

  private func checkSums<S: Scalar>(_ count: Int, _ scalar: S.Type) {
    let x = rounded(testNumbers(count, "sums", low: -3, high: 5), as: S.self)
    let block = GuardedBlock<S>(x)
    let squares = x.reduce(0) { $0 + $1 * $1 }
    // Count roundings of 2^-53.
    let tolerance = Double(count + 1) * 0x1p-53
    #expect(abs(sumOfSquares(block.block) - squares) <= tolerance * squares)
    #expect(sumInOrder(block.block) == x.reduce(0, +))
    #expect(sumInOrder(block.block, weights: block.block) == squares)
  }

  @Test("sums are formed in Double, of Floats too", arguments: counts)
  func sums(count: Int) {
    checkSums(count, Float.self)
    checkSums(count, Double.self)
  }

  @Test("squares beyond Float's range still add up")
  func largeSquares() {
    let block = GuardedBlock<Float>([1e30, -1e30, 3])
    #expect(abs(sumOfSquares(block.block) / 2e60 - 1) < 1e-6)
  }

  private func checkScan<S: Scalar>(_ count: Int, _ scalar: S.Type) {
    let block = GuardedBlock<S>(testNumbers(count, "finite", low: -1e30, high: 1e30))
    #expect(firstNonFinite(in: block.block) == nil)
    for bad in [S.nan, S.infinity, -S.infinity] {
      for index in Set([0, count / 2, count - 1]) where count > 0 {
        let before = block.block[index]
        block.block[index] = bad
        #expect(firstNonFinite(in: block.block) == index)
        block.block[count - 1] = bad
        #expect(firstNonFinite(in: block.block) == index)
        block.block[count - 1] = 0
        block.block[index] = before
      }
    }
  }

  @Test("the first number that is not finite is found wherever it stands", arguments: counts)
  func scan(count: Int) {
    checkScan(count, Float.self)
    checkScan(count, Double.self)
  }

  @Test("the largest finite numbers are finite")
  func extremes() {
    let most = Float.greatestFiniteMagnitude
    let block = GuardedBlock<Float>((0..<200).map { $0 % 2 == 0 ? Double(most) : -Double(most) })
    #expect(firstNonFinite(in: block.block) == nil)
  }

  @Test("what stands behind a block is not looked at")
  func behind() {
    let block = GuardedBlock<Float>([Double](repeating: 1, count: 40))
    for index in 33..<40 { block.block[index] = .nan }
    #expect(firstNonFinite(in: block.block.prefix(33)) == nil)
    #expect(sumOfSquares(block.block.prefix(33)) == 33)
  }
}
