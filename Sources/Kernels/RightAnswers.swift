import Storage

// Shapes: N samples, C outputs of the network.

/// How many samples have their largest output at their class; the first of equal outputs counts.
///
/// - Parameters:
///   - outputs: `[N, C]`.
///   - classes: `[N]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func countRightClasses<S: Scalar>(
  outputs: Block<S>, classes: Block<Int32>, samples: Int, channels: Int
) -> Int {
  var count = 0
  for sample in 0..<samples {
    let best = largest(of: outputs.base + sample * channels, count: channels)
    if best == Int(classes.base[sample]) { count += 1 }
  }
  return count
}

/// How many samples have their largest output where their target distribution has its largest.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func countRightClasses<S: Scalar>(
  outputs: Block<S>, targets: Block<S>, samples: Int, channels: Int
) -> Int {
  var count = 0
  for sample in 0..<samples {
    let best = largest(of: outputs.base + sample * channels, count: channels)
    if best == largest(of: targets.base + sample * channels, count: channels) { count += 1 }
  }
  return count
}

/// How many single outputs are on the right side of zero for targets 0 and 1.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func countRightSides<S: Scalar>(outputs: Block<S>, targets: Block<S>, count: Int) -> Int {
  var right = 0
  for index in 0..<count where (outputs.base[index] > 0) == (targets.base[index] > 0.5) {
    right += 1
  }
  return right
}

@inline(__always)
func largest<S: Scalar>(of values: UnsafeMutablePointer<S>, count: Int) -> Int {
  var best = 0
  for index in 1..<max(count, 1) where values[index] > values[best] { best = index }
  return best
}
