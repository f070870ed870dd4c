import Graph

// A convolution along one axis, seen from its targets: forward the targets are outputs and the sources
// inputs; in the gradient by data the targets are inputs and the sources outputs.

/// Neighbouring targets of a class whose windows have the same taps inside the source.
package struct TapRun: Equatable, Sendable {
  package var targets: Range<Int>
  package var taps: Range<Int>

  package init(targets: Range<Int>, taps: Range<Int>) {
    self.targets = targets
    self.taps = taps
  }
}

/// Every `targetStep`-th target of an axis: all of them see the source in the same pattern.
///
/// Target `j` of the class is number `targetStart + j * targetStep` of the axis; its tap `u` reads source
/// `sourceStart + j * sourceStep + u * tapStep` with weight `weightStart + u * weightStep`. Taps that fall
/// into the padding are left out: the runs say which remain.
package struct TapClass: Equatable, Sendable {
  package let targetStart: Int
  package let targetStep: Int
  package let targetCount: Int
  package let sourceStart: Int
  package let sourceStep: Int
  package let sourceCount: Int
  package let tapStep: Int
  package let tapCount: Int
  package let weightStart: Int
  package let weightStep: Int

  /// The one class of a forward convolution: every output.
  package static func forward(_ axis: WindowAxis) -> TapClass {
    TapClass(
      targetStart: 0, targetStep: 1, targetCount: axis.output, sourceStart: -axis.padBefore,
      sourceStep: axis.stride, sourceCount: axis.input, tapStep: axis.dilation,
      tapCount: axis.kernel, weightStart: 0, weightStep: 1)
  }

  /// The classes of the gradient by data: inputs that leave the same rest when divided by the stride.
  ///
  /// Output `o` reads input `i` by tap `t` when `o * stride = i + padBefore - t * dilation`. For the
  /// inputs `i = r + j * stride` only every `stride / gcd(stride, dilation)`-th tap solves that, and
  /// going backwards through those taps makes it a convolution of stride 1 over the output gradient.
  package static func inputGradient(_ axis: WindowAxis) -> [TapClass] {
    (0..<min(axis.stride, axis.input)).map { inputGradient(axis, rest: $0) }
  }

  private static func inputGradient(_ axis: WindowAxis, rest: Int) -> TapClass {
    let common = greatestCommonDivisor(axis.stride, axis.dilation)
    let everyTap = axis.stride / common
    let sourcePerTap = axis.dilation / common
    let reach = rest + axis.padBefore
    let firstTap = (0..<min(everyTap, axis.kernel)).first {
      (reach - $0 * axis.dilation) % axis.stride == 0
    }
    let count = firstTap.map { (axis.kernel - $0 + everyTap - 1) / everyTap } ?? 0
    let nearest = firstTap.map { (reach - $0 * axis.dilation) / axis.stride } ?? 0
    return TapClass(
      targetStart: rest, targetStep: axis.stride,
      targetCount: (axis.input - rest + axis.stride - 1) / axis.stride,
      sourceStart: nearest - max(count - 1, 0) * sourcePerTap, sourceStep: 1,
      sourceCount: axis.output, tapStep: sourcePerTap, tapCount: count,
      weightStart: (firstTap ?? 0) + max(count - 1, 0) * everyTap, weightStep: -everyTap)
  }

  /// The taps of target `j` that lie inside the source.
  package func taps(of target: Int) -> Range<Int> {
    let first = sourceStart + target * sourceStep
    let inside = (0..<tapCount).filter { (0..<sourceCount).contains(first + $0 * tapStep) }
    guard let low = inside.first, let high = inside.last else { return 0..<0 }
    return low..<(high + 1)
  }

  /// The class cut into runs, in the order of its targets.
  package var runs: [TapRun] {
    var runs: [TapRun] = []
    for target in 0..<targetCount {
      let taps = taps(of: target)
      if let last = runs.last, last.taps == taps {
        runs[runs.count - 1].targets = last.targets.lowerBound..<(target + 1)
      } else {
        runs.append(TapRun(targets: target..<(target + 1), taps: taps))
      }
    }
    return runs
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  b == 0 ? a : greatestCommonDivisor(b, a % b)
}
