import Randomness

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Points in the plane with a class each: small sets to learn from and to test with.
///
/// Sample `i` is a pure function of the seed, the spec and `i`; its class is `i` modulo the classes.
package struct GeneratedSamples {
  private let spec: GeneratedSpec
  private let stream: Philox

  package init(spec: GeneratedSpec, seed: UInt64) {
    self.spec = spec
    stream = Philox(seed: seed, purpose: "data.generated.\(spec.kind.rawValue)")
  }

  package var classCount: Int {
    switch spec.kind {
    case .xor, .flower, .moons: 2
    case .spirals, .blobs, .images: spec.classes
    }
  }

  package func label(of sample: Int) -> Int32 {
    Int32(spec.kind == .xor ? (sample / 2 + sample) % 2 : sample % classCount)
  }

  /// `[2]`
  package func point(of sample: Int) -> SIMD2<Double> {
    switch spec.kind {
    case .xor: xor(sample)
    case .flower: flower(sample)
    case .spirals: spiral(sample)
    case .moons: moon(sample)
    case .blobs: blob(sample)
    case .images: preconditionFailure("an image is no point")
    }
  }

  /// The corners of the unit square in turn, (0, 0) (0, 1) (1, 0) (1, 1), plus noise.
  private func xor(_ sample: Int) -> SIMD2<Double> {
    SIMD2(Double(sample / 2 % 2), Double(sample % 2)) + noise(sample)
  }

  /// A flower of two petals' colours: `r = 4 sin 4t` around the origin, half of the circle per class.
  ///
  /// Source: deeplearning.ai, "Neural networks and deep learning", week 3, planar_utils.py
  /// (`load_planar_dataset`; there the noise is 0.2).
  private func flower(_ sample: Int) -> SIMD2<Double> {
    let noise = noise(sample)
    let label = Double(label(of: sample))
    let angle = label * 3.12 + place(of: sample) * 3.12 + noise.x
    let radius = 4 * sin(4 * angle) + noise.y
    return SIMD2(radius * sin(angle), radius * cos(angle))
  }

  /// One arm per class; the radius grows from 0 to 1 while the arm turns by 4 radians.
  ///
  /// Source: CS231n notes, "Putting it together: minimal neural network case study" (there the noise is 0.2).
  private func spiral(_ sample: Int) -> SIMD2<Double> {
    let radius = place(of: sample)
    let start = 2 * Double.pi * Double(label(of: sample)) / Double(classCount)
    let angle = start + 4 * radius + noise(sample).x
    return SIMD2(radius * sin(angle), radius * cos(angle))
  }

  /// Two half circles that reach into each other.
  ///
  /// Source: scikit-learn, `make_moons`.
  private func moon(_ sample: Int) -> SIMD2<Double> {
    let angle = Double.pi * place(of: sample)
    let isOuter = label(of: sample) == 0
    let point =
      isOuter ? SIMD2(cos(angle), sin(angle)) : SIMD2(1 - cos(angle), 0.5 - sin(angle))
    return point + noise(sample)
  }

  /// Normal clouds around as many points of a circle of radius 4 as there are classes.
  private func blob(_ sample: Int) -> SIMD2<Double> {
    let angle = 2 * Double.pi * Double(label(of: sample)) / Double(classCount)
    return 4 * SIMD2(cos(angle), sin(angle)) + noise(sample)
  }

  /// 0 for the first sample of a class, 1 for its last.
  private func place(of sample: Int) -> Double {
    let perClass = (spec.samples + classCount - 1) / classCount
    return perClass > 1 ? Double(sample / classCount) / Double(perClass - 1) : 0
  }

  /// Two normal numbers with the spec's deviation.
  ///
  /// Source: Box and Muller, "A note on the generation of random normal deviates", 1958.
  private func noise(_ sample: Int) -> SIMD2<Double> {
    guard spec.noise > 0 else { return .zero }
    let bits = stream.block(major: 0, minor: UInt64(sample))
    let first = Double(UInt64(bits[0]) << 21 | UInt64(bits[1]) >> 11)
    let second = Double(UInt64(bits[2]) << 21 | UInt64(bits[3]) >> 11)
    let radius = spec.noise * (-2 * log((first + 1) * 0x1p-53)).squareRoot()
    let angle = 2 * Double.pi * second * 0x1p-53
    return SIMD2(radius * cos(angle), radius * sin(angle))
  }
}
