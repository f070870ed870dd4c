import Graph
import Storage

// Shapes: N images, P positions, C channels in G groups; channels-last, [N, P, C].

/// The gradients of `groupNorm`.
///
///     betaGradient[c] = sum over n and p of outputGradient[n, p, c]
///     gammaGradient[c] = sum over n and p of outputGradient[n, p, c] * normal[n, p, c]
///     inputGradient = inverseDeviation * (h - mean of h - normal * mean of (h * normal))
///
/// with `h = outputGradient * gamma`, `normal = (input - mean) * inverseDeviation` and means over a group's positions
/// and channels.
///
/// - Parameters:
///   - inputGradient: `[N, P, C]`; overlaps none of the others.
///   - gammaGradient: `[C]`, overwritten, as is `betaGradient`; nil where there is no gamma.
///   - scratch: `groupNormScratchCount(shape)` numbers.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func groupNormGradient<S: Scalar>(
  _ shape: GroupNormShape, images: Int, input: Block<S>, outputGradient: Block<S>,
  gamma: Block<S>?, mean: Block<S>, inverseDeviation: Block<S>, into inputGradient: Block<S>,
  gammaGradient: Block<S>?, betaGradient: Block<S>?, scratch: Block<S>
) {
  @inline(never) func run() {
    let count = shape.positions &* shape.channels
    precondition(images * count <= inputGradient.count, "\(images) images")
    let memory = GroupMemory(shape, scratch)
    gammaGradient?.fill(0)
    betaGradient?.fill(0)
    for image in 0..<images {
      let x = input.base + image &* count
      let dy = outputGradient.base + image &* count
      let inverses = inverseDeviation.base + image &* shape.groups
      memory.spread(mean.base + image &* shape.groups, to: memory.a)
      memory.spread(inverses, to: memory.b)
      memory.sumGradients(x, dy)
      if let gammaGradient, let betaGradient {
        for channel in 0..<shape.channels {
          betaGradient.base[channel] += memory.c[channel]
          gammaGradient.base[channel] += memory.d[channel]
        }
      }
      memory.makeCoefficients(gamma: gamma?.base, inverses)
      memory.fillInputGradient(x, dy, into: inputGradient.base + image &* count)
    }
  }
  run()
}

extension GroupMemory {
  /// Gives every channel the number of its group.
  @inline(__always)
  func spread(_ groups: UnsafeMutablePointer<S>, to channels: UnsafeMutablePointer<S>) {
    for channel in 0..<shape.channels { channels[channel] = groups[channel / shape.width] }
  }

  /// By channel: c gets the sums of dy, d those of dy times the normalised input.
  @inline(__always)
  func sumGradients(_ x: UnsafeMutablePointer<S>, _ dy: UnsafeMutablePointer<S>) {
    @inline(__always) func terms(_ stream: Int, _ row: Int, _ channel: Int) -> TwoTerms<S> {
      let element = row &* shape.channels &+ channel
      let gradient = dy.vector(at: element)
      let normal = (x.vector(at: element) - a.vector(at: channel)) * b.vector(at: channel)
      return TwoTerms<S>(gradient, gradient * normal)
    }
    @inline(__always) func store(_ channel: Int, _ sums: TwoTerms<S>) {
      c.setVector(sums.first, at: channel, channel: channel, of: shape.channels)
      d.setVector(sums.second, at: channel, channel: channel, of: shape.channels)
    }
    forEachColumnSum(rows: shape.positions, channels: shape.channels, terms, result: store)
  }

  /// From the sums in c and d to `dx = dy * b - c - (x - a) * d`.
  @inline(__always)
  func makeCoefficients(
    gamma: UnsafeMutablePointer<S>?, _ inverses: UnsafeMutablePointer<S>
  ) {
    let share = 1 / S(shape.positions &* shape.width)
    for group in 0..<shape.groups {
      let channels = group &* shape.width..<(group &+ 1) &* shape.width
      var (shift, slope): (S, S) = (0, 0)
      for channel in channels {
        let scale = gamma?[channel] ?? 1
        shift += scale * c[channel]
        slope += scale * d[channel]
      }
      let inverse = inverses[group]
      for channel in channels {
        b[channel] = inverse * (gamma?[channel] ?? 1)
        c[channel] = inverse * (shift * share)
        d[channel] = inverse * inverse * (slope * share)
      }
    }
  }

  @inline(__always)
  func fillInputGradient(
    _ x: UnsafeMutablePointer<S>, _ dy: UnsafeMutablePointer<S>,
    into dx: UnsafeMutablePointer<S>
  ) {
    @inline(__always) func coefficients(_ channel: Int) -> (line: ShiftedLine<S>, factor: S.Vector)
    {
      let line = ShiftedLine<S>(
        center: a.vector(at: channel), slope: d.vector(at: channel), shift: c.vector(at: channel))
      return (line, b.vector(at: channel))
    }
    @inline(__always) func value(
      _ element: Int, _ of: (line: ShiftedLine<S>, factor: S.Vector)
    ) -> S.Vector {
      let deviation = x.vector(at: element) - of.line.center
      let known = S.multiplyAdd(deviation, of.line.slope, of.line.shift)
      return S.multiplyAdd(dy.vector(at: element), of.factor, -known)
    }
    fillByColumns(
      dx, rows: shape.positions, channels: shape.channels, coefficients: coefficients,
      value: value)
  }
}
