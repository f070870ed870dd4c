import Storage

// Shapes: P positions, V words of the vocabulary, E channels.

/// `output[p, :] = table[tokens[p], :]`.
///
/// A token that is no word, `0..<V`, gives not-a-number, which training reports with the layer's name.
///
/// - Parameters:
///   - tokens: Whole numbers, `[P]`.
///   - table: `[V, E]`.
///   - output: `[P, E]`; overlaps neither.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func embed<S: Scalar>(
  tokens: Block<S>, table: Block<S>, words: Int, channels: Int, into output: Block<S>
) {
  precondition(words * channels <= table.count, "\(words) words in \(table.count)")
  precondition(tokens.count * channels <= output.count, "\(tokens.count) tokens")
  for position in 0..<tokens.count {
    let target = output.base + position * channels
    if let word = word(tokens.base[position], of: words) {
      target.update(from: table.base + word * channels, count: channels)
    } else {
      target.fill(.nan, count: channels)
    }
  }
}

/// The gradient of `embed` by its table: `gradient[tokens[p], :] += outputGradient[p, :]`, position after position.
///
/// - Parameters:
///   - base: What another reader of the table says of its gradient, `[V, E]`; nil: nothing.
///   - gradient: `[V, E]`, overwritten; may be `base`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func embedGradient<S: Scalar>(
  tokens: Block<S>, outputGradient: Block<S>, words: Int, channels: Int, base: Block<S>?,
  into gradient: Block<S>
) {
  precondition(words * channels <= gradient.count, "\(words) words in \(gradient.count)")
  if let base {
    if base.base != gradient.base { gradient.copy(from: base) }
  } else {
    gradient.fill(0)
  }
  for position in 0..<tokens.count {
    guard let word = word(tokens.base[position], of: words) else { continue }
    let target = gradient.base + word * channels
    let source = outputGradient.base + position * channels
    @inline(__always) func sum(_ channel: Int) -> S.Vector {
      target.vector(at: channel) + source.vector(at: channel)
    }
    fillByVectors(target, count: channels, sum)
  }
}

@inline(__always)
private func word<S: Scalar>(_ token: S, of words: Int) -> Int? {
  token >= 0 && token < S(words) ? Int(token) : nil
}
