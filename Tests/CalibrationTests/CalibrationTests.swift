import Calibration
import Scaling
import Testing

@Suite("Calibration", .serialized)
struct CalibrationTests {
  @Test("the loopback has a latency below a second and moves more than a megabyte a second")
  func loopback() throws {
    let network = try #require(LoopbackMeasurement.measure(rounds: 20, bytes: 1 << 16))
    #expect((1e-7..<1).contains(network.latencySeconds), "\(network)")
    #expect((1e6..<1e12).contains(network.bytesPerSecond), "\(network)")
  }
}
