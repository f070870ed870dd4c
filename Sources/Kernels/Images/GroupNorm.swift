import Graph
import Storage

// Shapes: N images, P positions, C channels in G groups; channels-last, [N, P, C]. An image's bits do not
// depend on the other images.

/// Normalises every group of channels of every image over its positions and channels.
///
///     mean[n, g] = sum over p and the channels c of g of input[n, p, c] / (P * C / G)
///     inverseDeviation[n, g] = 1 / sqrt(sum over p and c of (input[n, p, c] - mean[n, g])^2 / (P * C / G) + epsilon)
///     output[n, p, c] = (input[n, p, c] - mean[n, g]) * inverseDeviation[n, g] * gamma[c] + beta[c]
///
/// Source: Wu and He, "Group normalization", ECCV 2018, equations 1 to 3 and 7.
///
/// - Parameters:
///   - input: `[N, P, C]`.
///   - gamma: `[C]`; nil: 1 and, for `beta`, 0.
///   - output: `[N, P, C]`; the same block as `input` or one that does not overlap it.
///   - mean: `[N, G]`, overwritten, as is `inverseDeviation`.
///   - scratch: `groupNormScratchCount(shape)` numbers.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func groupNorm<S: Scalar>(
  _ shape: GroupNormShape, images: Int, input: Block<S>, gamma: Block<S>?, beta: Block<S>?,
  into output: Block<S>, mean: Block<S>, inverseDeviation: Block<S>, scratch: Block<S>
) {
  @inline(never) func run() {
    let count = shape.positions &* shape.channels
    precondition(images * count <= min(input.count, output.count), "\(images) images")
    let memory = GroupMemory(shape, scratch)
    for image in 0..<images {
      let x = input.base + image &* count
      let means = mean.base + image &* shape.groups
      let inverses = inverseDeviation.base + image &* shape.groups
      memory.sumColumns(x, into: memory.a)
      memory.spreadMeans(of: memory.a, to: means)
      memory.sumSquares(x, around: memory.a, into: memory.b)
      memory.spreadMeans(of: memory.b, to: inverses)
      for group in 0..<shape.groups {
        inverses[group] = 1 / (inverses[group] + S(shape.epsilon)).squareRoot()
      }
      for channel in 0..<shape.channels {
        memory.b[channel] = inverses[channel / shape.width] * (gamma?.base[channel] ?? 1)
        memory.c[channel] = beta?.base[channel] ?? 0
      }
      memory.normalize(x, into: output.base + image &* count)
    }
  }
  run()
}

/// Elements of scratch for `groupNorm` and its gradient.
package func groupNormScratchCount<S: Scalar>(_ shape: GroupNormShape, of scalar: S.Type) -> Int {
  4 * GroupMemory<S>.stride(shape)
}

/// Four rows of C numbers, and the walks over an image that fill them.
struct GroupMemory<S: Scalar> {
  let shape: GroupNormShape
  let a: UnsafeMutablePointer<S>
  let b: UnsafeMutablePointer<S>
  let c: UnsafeMutablePointer<S>
  let d: UnsafeMutablePointer<S>

  @inline(__always)
  init(_ shape: GroupNormShape, _ scratch: Block<S>) {
    let stride = Self.stride(shape)
    precondition(4 * stride <= scratch.count, "\(scratch.count) numbers of scratch")
    self.shape = shape
    a = scratch.base
    b = a + stride
    c = b + stride
    d = c + stride
  }

  /// Whole vectors, so that none reads into the next row.
  @inline(__always)
  static func stride(_ shape: GroupNormShape) -> Int {
    (shape.channels + S.lanes - 1) / S.lanes * S.lanes
  }

  @inline(__always)
  func sumColumns(_ x: UnsafeMutablePointer<S>, into sums: UnsafeMutablePointer<S>) {
    @inline(__always) func term(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
      OneTerm<S>(x.vector(at: row &* shape.channels &+ channel))
    }
    @inline(__always) func store(_ channel: Int, _ sum: OneTerm<S>) {
      sums.setVector(sum.value, at: channel, channel: channel, of: shape.channels)
    }
    forEachColumnSum(rows: shape.positions, channels: shape.channels, term, result: store)
  }

  @inline(__always)
  func sumSquares(
    _ x: UnsafeMutablePointer<S>, around means: UnsafeMutablePointer<S>,
    into sums: UnsafeMutablePointer<S>
  ) {
    @inline(__always) func term(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
      let deviation =
        x.vector(at: row &* shape.channels &+ channel) - means.vector(at: channel)
      return OneTerm<S>(deviation * deviation)
    }
    @inline(__always) func store(_ channel: Int, _ sum: OneTerm<S>) {
      sums.setVector(sum.value, at: channel, channel: channel, of: shape.channels)
    }
    forEachColumnSum(rows: shape.positions, channels: shape.channels, term, result: store)
  }

  /// Turns sums by channel into the mean of the channel's group, which `groups` gets too.
  @inline(__always)
  func spreadMeans(of sums: UnsafeMutablePointer<S>, to groups: UnsafeMutablePointer<S>) {
    let share = 1 / S(shape.positions &* shape.width)
    for group in 0..<shape.groups {
      let first = group &* shape.width
      var total: S = 0
      for channel in first..<first &+ shape.width { total += sums[channel] }
      let mean = total * share
      groups[group] = mean
      for channel in first..<first &+ shape.width { sums[channel] = mean }
    }
  }

  /// `y = (x - a) * b + c`, by channel.
  @inline(__always)
  func normalize(_ x: UnsafeMutablePointer<S>, into y: UnsafeMutablePointer<S>) {
    @inline(__always) func line(_ channel: Int) -> ShiftedLine<S> {
      ShiftedLine(
        center: a.vector(at: channel), slope: b.vector(at: channel), shift: c.vector(at: channel))
    }
    @inline(__always) func value(_ element: Int, _ line: ShiftedLine<S>) -> S.Vector {
      S.multiplyAdd(x.vector(at: element) - line.center, line.slope, line.shift)
    }
    fillByColumns(
      y, rows: shape.positions, channels: shape.channels, coefficients: line, value: value)
  }
}

/// `(x - center) * slope + shift`
struct ShiftedLine<S: Scalar> {
  var center: S.Vector
  var slope: S.Vector
  var shift: S.Vector
}
