/// Neighbouring parameters with the same constants, or one parameter where its norms matter.
struct ParameterRun {
  /// Of the parameter buffer.
  var range: Range<Int>
  /// The (first) parameter's place in the buffer.
  let tensor: Int
  let hyper: ParameterHyper

  static func runs(of segments: [ParameterSegment], spec: OptimizerSpec) -> [ParameterRun] {
    var runs: [ParameterRun] = []
    for (tensor, segment) in segments.enumerated() where segment.count > 0 && segment.isTrained {
      let hyper = spec.hyper(of: segment.name, kind: segment.kind)
      let end = runs.last?.range.upperBound ?? 0
      precondition(
        segment.offset >= end, "\(segment.name) starts at \(segment.offset), before \(end)")
      if !hyper.isLayerwise, let last = runs.last, last.hyper == hyper, segment.offset == end {
        runs[runs.count - 1].range = last.range.lowerBound..<segment.range.upperBound
      } else {
        runs.append(ParameterRun(range: segment.range, tensor: tensor, hyper: hyper))
      }
    }
    return runs
  }
}
