import Metrics
import Testing

@Suite("Progress display")
struct ProgressDisplayTests {
  private final class Screen {
    var text = ""
  }

  private let screen = Screen()
  private let start = ContinuousClock.now

  private func display(_ style: ProgressStyle, width: Int = 40) -> ProgressDisplay {
    ProgressDisplay(
      style: style, label: .accuracy, firstStep: 100, width: width, lineInterval: .seconds(5),
      start: start
    ) { [screen] in screen.text += $0 }
  }

  private func progress(_ step: Int, loss: Double = 0.5) -> TrainingProgress {
    TrainingProgress(
      epoch: 1, epochCount: 1, step: step, stepCount: 200, loss: loss, metric: nil,
      samplesPerSecond: 1000)
  }

  @Test("a shorter bar covers the longer one, and lines that stay take its place")
  func bar() {
    let display = display(.bar)
    display.show(progress(110, loss: 12.5), at: start + .seconds(2))
    display.show(progress(150), at: start + .seconds(3))
    display.printLines(["a line", "another"])
    display.printLines(["a third"])
    let long = "epoch 1/1 [==>  ] 110/200  loss 12.5000"
    let short = "epoch 1/1 [====> ] 150/200  loss 0.5000"
    let blank = String(repeating: " ", count: 39)
    #expect(screen.text == "\r\(long)\r\(short)\r\(blank)\ra line\nanother\na third\n")
  }

  @Test("what is left of a longer bar is covered")
  func shrinking() {
    let display = display(.bar, width: 18)
    display.show(progress(110), at: start)
    display.show(progress(99), at: start)
    display.show(progress(98), at: start)
    #expect(screen.text == "\repoch 1/1 110/200\repoch 1/1 99/200 \repoch 1/1 98/200")
  }

  @Test("a bar is due ten times a second, a line every few seconds, nothing never")
  func due() {
    for (style, wait) in [(ProgressStyle.bar, 0.1), (.lines, 5)] {
      let display = display(style)
      #expect(display.isDue(at: start))
      display.show(progress(101), at: start)
      #expect(!display.isDue(at: start + .seconds(wait * 0.99)))
      #expect(display.isDue(at: start + .seconds(wait)))
    }
    #expect(!display(.none).isDue(at: start + .seconds(1000)))
  }

  @Test("lines stand one under the other; without progress only the lasting lines appear")
  func lines() {
    let lines = display(.lines)
    lines.show(progress(150), at: start + .seconds(10))
    lines.printLines(["row"])
    lines.clear()
    let none = display(.none)
    none.show(progress(150), at: start)
    none.printLines(["quiet"])
    #expect(
      screen.text == """
        epoch 1.00/1  step 150/200  loss 0.5000  1.00k samples/s  0:10 left
        row
        quiet

        """)
  }
}
