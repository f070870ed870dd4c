import Storage

// Shapes: N sequences of T steps of C channels. The length of a sequence is the number of its steps that count; what
// stands behind them is padding. A sequence's bits do not depend on the others.

/// `lengths[n] = 1 + the last t at which some c has input[n, t, c] != value`, or 0 where there is none.
///
/// - Parameters:
///   - input: `[N, T, C]`.
///   - lengths: `[N]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func sequenceLengths<S: Scalar>(
  of input: Block<S>, sequences: Int, steps: Int, channels: Int, value: S, into lengths: Block<S>
) {
  let count = steps * channels
  for sequence in 0..<sequences {
    let x = input.base + sequence * count
    var end = count
    while end > 0, x[end - 1] == value { end -= 1 }
    lengths.base[sequence] = S((end + channels - 1) / channels)
  }
}

/// The lengths of sequences that got `steps` steps more at the front.
///
/// - Parameter lengths: `[N]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func extendLengths<S: Scalar>(_ lengths: Block<S>, by steps: Int, into output: Block<S>) {
  for sequence in 0..<lengths.count {
    output.base[sequence] = lengths.base[sequence] + S(steps)
  }
}

/// `output[n, t] = input[n, t]` for t below the length, else 0; its own gradient.
///
/// - Parameters:
///   - input: `[N, T, C]`; must not overlap `output`.
///   - lengths: `[N]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func keepSteps<S: Scalar>(
  _ input: Block<S>, lengths: Block<S>, sequences: Int, steps: Int, channels: Int,
  into output: Block<S>
) {
  for sequence in 0..<sequences {
    let start = sequence * steps * channels
    let kept = Int(lengths.base[sequence]) * channels
    (output.base + start).update(from: input.base + start, count: kept)
    (output.base + start + kept).fill(0, count: steps * channels - kept)
  }
}

/// `output[n] = input[n, length - 1]`; 0 of an empty sequence.
///
/// - Parameters:
///   - input: `[N, T, C]`.
///   - output: `[N, C]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func lastSteps<S: Scalar>(
  of input: Block<S>, lengths: Block<S>, sequences: Int, steps: Int, channels: Int,
  into output: Block<S>
) {
  for sequence in 0..<sequences {
    let target = output.base + sequence * channels
    let length = Int(lengths.base[sequence])
    if length > 0 {
      let source = input.base + (sequence * steps + length - 1) * channels
      target.update(from: source, count: channels)
    } else {
      target.fill(0, count: channels)
    }
  }
}

/// The gradient of `lastSteps`.
///
/// - Parameter inputGradient: `[N, T, C]`, overwritten; must not overlap `outputGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func lastStepsGradient<S: Scalar>(
  _ outputGradient: Block<S>, lengths: Block<S>, sequences: Int, steps: Int, channels: Int,
  into inputGradient: Block<S>
) {
  inputGradient.fill(0)
  for sequence in 0..<sequences {
    let length = Int(lengths.base[sequence])
    if length == 0 { continue }
    let target = inputGradient.base + (sequence * steps + length - 1) * channels
    target.update(from: outputGradient.base + sequence * channels, count: channels)
  }
}

/// `output[n] = sum over t below the length of input[n, t] / length`; 0 of an empty sequence.
///
/// - Parameters:
///   - input: `[N, T, C]`.
///   - output: `[N, C]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func averageSteps<S: Scalar>(
  _ input: Block<S>, lengths: Block<S>, sequences: Int, steps: Int, channels: Int,
  into output: Block<S>
) {
  @inline(never) func run() {
    for sequence in 0..<sequences {
      let x = input.base + sequence &* steps &* channels
      let length = Int(lengths.base[sequence])
      let share = 1 / S(max(length, 1))
      @inline(__always) func mean(_ channel: Int) -> S.Vector {
        var sum = S.Vector(repeating: 0)
        for step in 0..<length { sum += x.vector(at: step &* channels &+ channel) }
        return sum * share
      }
      fillByVectors(output.base + sequence &* channels, count: channels, mean)
    }
  }
  run()
}

/// The gradient of `averageSteps`: `inputGradient[n, t] = outputGradient[n] / length` for t below the length, else 0.
///
/// - Parameter inputGradient: `[N, T, C]`, overwritten; must not overlap `outputGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func averageStepsGradient<S: Scalar>(
  _ outputGradient: Block<S>, lengths: Block<S>, sequences: Int, steps: Int, channels: Int,
  into inputGradient: Block<S>
) {
  @inline(never) func run() {
    inputGradient.fill(0)
    for sequence in 0..<sequences {
      let dy = outputGradient.base + sequence &* channels
      let length = Int(lengths.base[sequence])
      let share = 1 / S(max(length, 1))
      @inline(__always) func part(_ channel: Int) -> S.Vector { dy.vector(at: channel) * share }
      for step in 0..<length {
        let dx = inputGradient.base + (sequence &* steps &+ step) &* channels
        fillByVectors(dx, count: channels, part)
      }
    }
  }
  run()
}

/// What each answer of a sample counts in the mean over them: 1 / (those that count), or 0 of one that does not.
///
/// An answer counts if it stands below its sequence's length and its class is not the ignored one.
///
/// - Parameters:
///   - classes: `[N, P]`; nil: none is ignored.
///   - ignored: The class that does not count.
///   - lengths: `[N]`; nil: all of P.
///   - weights: `[N, P]`; a sample of which nothing counts has zeros only.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func answerWeights<S: Scalar>(
  samples: Int, positions: Int, classes: Block<Int32>?, ignored: Int32, lengths: Block<S>?,
  into weights: Block<S>
) {
  for sample in 0..<samples {
    let target = weights.base + sample * positions
    let length = lengths.map { Int($0.base[sample]) } ?? positions
    var counted = 0
    for position in 0..<positions {
      let isIgnored = classes.map { $0.base[sample * positions + position] == ignored } ?? false
      let counts = position < length && !isIgnored
      target[position] = counts ? 1 : 0
      counted += counts ? 1 : 0
    }
    if counted == 0 { continue }
    let share = 1 / S(counted)
    for position in 0..<positions { target[position] *= share }
  }
}
