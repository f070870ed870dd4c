import Graph
import Kernels
import Testing

@Suite struct LinearTapClassTests {
  static let axes: [WindowAxis] = [
    WindowAxis(input: 28, kernel: 3, padBefore: 1, padAfter: 1),
    WindowAxis(input: 28, kernel: 5, padBefore: 2, padAfter: 2),
    WindowAxis(input: 14, kernel: 3, stride: 2, padBefore: 1, padAfter: 1),
    WindowAxis(input: 15, kernel: 2, stride: 3),
    WindowAxis(input: 17, kernel: 4, stride: 2, padBefore: 3, padAfter: 0, dilation: 3),
    WindowAxis(input: 17, kernel: 3, stride: 4, padBefore: 1, padAfter: 6, dilation: 2),
    WindowAxis(input: 2, kernel: 3, padBefore: 5, padAfter: 4),
    WindowAxis(input: 1, kernel: 1),
    WindowAxis(input: 9, kernel: 1, stride: 3, padBefore: 2, padAfter: 0),
  ]

  /// One multiply-add of an axis.
  struct Meeting: Hashable, Comparable {
    var input, tap, output: Int
    static func < (a: Meeting, b: Meeting) -> Bool {
      (a.input, a.tap, a.output) < (b.input, b.tap, b.output)
    }
  }

  private func meetings(_ axis: WindowAxis) -> [Meeting] {
    var all: [Meeting] = []
    for output in 0..<axis.output {
      for tap in 0..<axis.kernel {
        let input = output * axis.stride - axis.padBefore + tap * axis.dilation
        if (0..<axis.input).contains(input) {
          all.append(Meeting(input: input, tap: tap, output: output))
        }
      }
    }
    return all.sorted()
  }

  /// Target, weight and source of every tap in the runs of `classes`.
  private func visits(_ classes: [TapClass]) -> [(target: Int, weight: Int, source: Int)] {
    classes.flatMap { tapClass in
      tapClass.runs.flatMap { run in
        run.targets.flatMap { j in
          run.taps.map { u in
            (
              tapClass.targetStart + j * tapClass.targetStep,
              tapClass.weightStart + u * tapClass.weightStep,
              tapClass.sourceStart + j * tapClass.sourceStep + u * tapClass.tapStep
            )
          }
        }
      }
    }
  }

  @Test("forward runs meet every valid tap once", arguments: axes)
  func forward(axis: WindowAxis) {
    let met = visits([.forward(axis)]).map {
      Meeting(input: $0.source, tap: $0.weight, output: $0.target)
    }
    #expect(met.sorted() == meetings(axis))
  }

  @Test("the classes of the gradient by data meet every valid tap once", arguments: axes)
  func inputGradient(axis: WindowAxis) {
    let met = visits(TapClass.inputGradient(axis)).map {
      Meeting(input: $0.target, tap: $0.weight, output: $0.source)
    }
    #expect(met.sorted() == meetings(axis))
  }

  @Test("the classes of the gradient by data cover every input once", arguments: axes)
  func everyInput(axis: WindowAxis) {
    let targets = TapClass.inputGradient(axis).flatMap { tapClass in
      tapClass.runs.flatMap { $0.targets.map { tapClass.targetStart + $0 * tapClass.targetStep } }
    }
    #expect(targets.sorted() == Array(0..<axis.input))
  }

  @Test("a padded 3-wide window has an interior and two edges")
  func edges() {
    let runs = TapClass.forward(WindowAxis(input: 28, kernel: 3, padBefore: 1, padAfter: 1)).runs
    #expect(
      runs == [
        TapRun(targets: 0..<1, taps: 1..<3), TapRun(targets: 1..<27, taps: 0..<3),
        TapRun(targets: 27..<28, taps: 0..<2),
      ])
  }

  @Test("only multiply-adds inside the image count")
  func multiplyAdds() {
    let axis = WindowAxis(input: 4, kernel: 3, padBefore: 1, padAfter: 1)
    let plan = ConvolutionPlan(
      ConvolutionGeometry(vertical: axis, horizontal: axis, inputChannels: 2, outputChannels: 5))
    // Four outputs see 2, 3, 3 and 2 taps along each axis.
    #expect(plan.multiplyAddCount == 10 * 10 * 2 * 5)
  }
}
