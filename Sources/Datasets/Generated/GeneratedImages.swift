import Randomness

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

// Shapes: H rows, W columns, C channels; channels-last, [H, W, C].

/// Images of as many classes as wanted: each class is a sum of plane waves with a colour of their own.
///
///     value[y, x, c] = sum over k of amplitude[k, c] cos(2 pi (u[k] (y + dy) / H + v[k] (x + dx) / W) + phase[k])
///     pixel = 128 + 40 (value + noise), cut off to 0...255
///
/// Waves (u, v whole numbers from -4 to 4) are a pure function of seed and class; the shift (dy, dx), up to an
/// eighth of the image each way, and the noise are one of seed and sample. The class of sample i is i modulo
/// the classes.
package struct GeneratedImages {
  private let spec: GeneratedSpec
  private let seed: UInt64

  package init(spec: GeneratedSpec, seed: UInt64) {
    self.spec = spec
    self.seed = seed
  }

  package func label(of sample: Int) -> Int32 { Int32(sample % spec.classes) }

  /// `[H, W, C]`
  package func image(of sample: Int) -> [UInt8] {
    let (height, width, channels) = (spec.shape[0], spec.shape[1], spec.shape[2])
    var random = RandomNumbers(
      seed: seed, purpose: "data.generated.images.sample", index: UInt64(sample))
    let shift = (random.uniform() / 4 - 0.125, random.uniform() / 4 - 0.125)
    let waves = waves(of: sample % spec.classes)
    // cos(a + b) = cos a cos b - sin a sin b: rows and columns apart.
    let rows = waves.map { wave in
      (0..<height).map { row in
        sineAndCosine(wave.vertical * (Float(row) / Float(height) + Float(shift.0)), wave.phase)
      }
    }
    let columns = waves.map { wave in
      (0..<width).map { column in
        sineAndCosine(wave.horizontal * (Float(column) / Float(width) + Float(shift.1)), 0)
      }
    }
    var noise = NoiseBytes(random, deviation: 40 * spec.noise)
    var pixels = [UInt8]()
    pixels.reserveCapacity(height * width * channels)
    for row in 0..<height {
      for column in 0..<width {
        for channel in 0..<channels {
          var value: Float = 128 + noise.next()
          for index in waves.indices {
            let (r, c) = (rows[index][row], columns[index][column])
            let wave = r.cosine * c.cosine - r.sine * c.sine
            value += 40 * waves[index].amplitudes[channel] * wave
          }
          pixels.append(UInt8(min(max(value, 0), 255)))
        }
      }
    }
    return pixels
  }

  private struct Wave {
    /// Cycles over the image.
    var vertical: Float
    var horizontal: Float
    /// In cycles.
    var phase: Float
    /// By channel.
    var amplitudes: [Float]
  }

  private func waves(of label: Int) -> [Wave] {
    var random = RandomNumbers(
      seed: seed, purpose: "data.generated.images.class", index: UInt64(label))
    return (0..<3).map { _ in
      Wave(
        vertical: Float(Int(random.uniform() * 9) - 4),
        horizontal: Float(Int(random.uniform() * 9) - 4), phase: Float(random.uniform()),
        amplitudes: (0..<spec.shape[2]).map { _ in Float(random.uniform() * 2 - 1) })
    }
  }

  private func sineAndCosine(_ cycles: Float, _ phase: Float) -> (sine: Float, cosine: Float) {
    let angle = 2 * Double.pi * Double(cycles + phase)
    return (Float(sin(angle)), Float(cos(angle)))
  }
}

/// Numbers with mean 0 and a triangular distribution: two bytes each, four of them out of eight bytes.
private struct NoiseBytes {
  private var random: RandomNumbers
  private var bits: UInt64 = 0
  private var left = 0
  private let scale: Float

  init(_ random: RandomNumbers, deviation: Double) {
    self.random = random
    // The sum of two uniform bytes has the variance (256^2 - 1) / 6.
    scale = Float(deviation * (6.0 / 65535).squareRoot())
  }

  mutating func next() -> Float {
    guard scale > 0 else { return 0 }
    if left == 0 {
      bits = random.next()
      left = 4
    }
    let sum = Int(bits & 0xFF) + Int(bits >> 8 & 0xFF)
    bits >>= 16
    left -= 1
    return Float(sum - 255) * scale
  }
}

/// Writes a generated set of images as a training part, one image at a time.
func generateImages(
  _ spec: GeneratedSpec, seed: UInt64, key: String, into writer: PreparedFileWriter
) throws -> PreparedHeader {
  let samples = GeneratedImages(spec: spec, seed: seed)
  let inputOffset = try writer.startArray()
  for index in 0..<spec.samples { try writer.append(samples.image(of: index)) }
  let targetOffset = try writer.startArray()
  try writer.append((0..<spec.samples).map { samples.label(of: $0) })
  let layout = PartLayout(
    count: spec.samples, element: .uint8, inputOffset: inputOffset, targetOffset: targetOffset)
  let shape = DataShape(input: spec.shape, target: .classes(count: spec.classes, names: nil))
  return PreparedHeader(key: key, shape: shape, train: layout, dev: nil, test: nil)
}
