import Metrics
import Testing

@Suite("Numbers as text")
struct NumberTextTests {
  @Test(
    "digits stand in groups of three",
    arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
  func groups(number: Int, text: String) {
    #expect(groupedDigits(number) == text)
  }

  @Test(
    "a short count keeps three significant digits",
    arguments: [
      (0, "0"), (950, "950"), (12.5, "12.5"), (999.4, "999"), (999.7, "1.00k"), (1234, "1.23k"),
      (12_345, "12.3k"), (1_230_000, "1.23M"), (999_600, "1.00M"), (7.89e9, "7.89G"),
      (9.999, "10.0"),
    ])
  func shortCounts(count: Double, text: String) {
    #expect(shortCount(count) == text)
  }

  @Test("operations and bytes carry their unit and prefix")
  func units() {
    #expect(operationCountText(4_500_000_000) == "4.50 GFLOP")
    #expect(operationCountText(1500) == "1.50 KFLOP")
    #expect(operationCountText(12) == "12 FLOP")
    #expect(byteCountText(12_300_000) == "12.3 MB")
    #expect(byteCountText(999) == "999 B")
    #expect(byteCountText(1 << 20) == "1.05 MB")
  }

  @Test(
    "a clock shows hours only when there are some",
    arguments: [
      (0.4, "0:00"), (5.0, "0:05"), (59.6, "1:00"), (754.0, "12:34"), (3723.0, "1:02:03"),
      (3599.5, "1:00:00"), (-1.0, "0:00"),
    ])
  func clock(seconds: Double, text: String) {
    #expect(clockText(.seconds(seconds)) == text)
  }

  @Test(
    "a measure shows four digits, or an exponent when those would say nothing",
    arguments: [
      (0, "0.0000"), (0.43214, "0.4321"), (12.5, "12.5000"), (0.00003214, "3.214e-05"),
      (123_456, "1.235e+05"), (.nan, "nan"), (.infinity, "inf"),
    ])
  func measures(number: Double, text: String) {
    #expect(measureText(number) == text)
  }

  @Test("a fraction is written in percent")
  func percents() {
    #expect(percentText(0.92124) == "92.12%")
    #expect(percentText(1, digits: 0) == "100%")
  }
}
