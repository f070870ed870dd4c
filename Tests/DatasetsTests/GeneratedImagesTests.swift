import Datasets
import Diagnostics
import Testing

@Suite("Generated images")
struct GeneratedImagesTests {
  private func spec(
    _ shape: [Int], classes: Int = 3, samples: Int = 12, noise: Double = 0.5
  ) -> GeneratedSpec {
    var spec = GeneratedSpec(kind: .images, samples: samples, noise: noise)
    spec.shape = shape
    spec.classes = classes
    return spec
  }

  @Test("an image depends on seed and index alone")
  func pure() {
    let many = GeneratedImages(spec: spec([7, 5, 3], samples: 100), seed: 4)
    let few = GeneratedImages(spec: spec([7, 5, 3], samples: 10), seed: 4)
    let other = GeneratedImages(spec: spec([7, 5, 3], samples: 10), seed: 5)
    #expect((0..<10).allSatisfy { many.image(of: $0) == few.image(of: $0) })
    #expect((0..<10).allSatisfy { many.image(of: $0) != other.image(of: $0) })
    #expect(Set((0..<10).map { many.image(of: $0) }).count == 10)
    #expect(many.image(of: 3).count == 7 * 5 * 3)
    #expect((0..<7).map { many.label(of: $0) } == [0, 1, 2, 0, 1, 2, 0])
  }

  @Test("pixels lie around 128, and noise has its deviation")
  func values() {
    // Classes whose waves are flat in this small image do not matter: the noise does not depend on them.
    let noisy = GeneratedImages(spec: spec([64, 64, 1], noise: 0.5), seed: 1)
    let plain = GeneratedImages(spec: spec([64, 64, 1], noise: 0), seed: 1)
    let (a, b) = (noisy.image(of: 0), plain.image(of: 0))
    let differences = zip(a, b).filter { $1 > 60 && $1 < 196 }
      .map { Double($0) - Double($1) }
    #expect(differences.count > 1000)
    let mean = differences.reduce(0, +) / Double(differences.count)
    let square = differences.reduce(0) { $0 + $1 * $1 } / Double(differences.count)
    // Deviation 20; means of 1000 and more are off by 0.6, their squares by 18, rounding down by 1/2.
    #expect(abs(mean) < 2.5, "\(mean)")
    #expect(abs(square - 400) < 60, "\(square)")
  }

  @Test("the images of a class are more alike than those of two")
  func learnable() {
    // As many whole waves as the shift moves: the spectrum tells classes apart, whatever the phase.
    let images = GeneratedImages(
      spec: spec([16, 16, 1], classes: 4, samples: 40, noise: 0.2), seed: 2)
    let spectra = (0..<40).map { spectrum(images.image(of: $0).map { Double($0) - 128 }, 16) }
    var right = 0
    for index in 4..<40 {
      let nearest = (0..<4).min {
        distance(spectra[index], spectra[$0]) < distance(spectra[index], spectra[$1])
      }
      right += nearest == index % 4 ? 1 : 0
    }
    #expect(right >= 34, "\(right) of 36")
  }

  @Test("they are loaded as bytes with their classes")
  func loaded() throws {
    let folder = try TestFolder()
    let source = DataSpec(source: .generated(spec([4, 6, 2], classes: 5)))
    let data = try folder.load(source, outputs: 5)
    #expect(data.shape.input == [4, 6, 2])
    #expect(data.labels == (0..<12).map { Int32($0 % 5) })
    #expect(data.rawInputs[0].count == 48)
  }

  @Test("numbers as targets are refused")
  func targets() throws {
    let folder = try TestFolder()
    var data = DataSpec(source: .generated(spec([4, 4, 1])))
    data.target = .values
    #expect {
      try folder.load(data, outputs: 1)
    } throws: { error in
      "\(error)".contains("generated images have classes, no other targets")
    }
  }

  /// Squared magnitudes of the low frequencies of a square image.
  private func spectrum(_ image: [Double], _ side: Int) -> [Double] {
    (0..<5).flatMap { u in
      (-4..<5).map { v in
        var (real, imaginary) = (0.0, 0.0)
        for y in 0..<side {
          for x in 0..<side {
            let turn = (u * y + v * x) % side
            let (c, s) = circle(turn < 0 ? turn + side : turn)
            real += image[y * side + x] * c
            imaginary += image[y * side + x] * s
          }
        }
        return (real * real + imaginary * imaginary).squareRoot()
      }
    }
  }

  /// Cosine and sine of sixteenths of a turn.
  private func circle(_ sixteenth: Int) -> (Double, Double) {
    let table = [
      1, 0.9238795325112867, 0.7071067811865476, 0.3826834323650898, 0, -0.3826834323650898,
      -0.7071067811865476, -0.9238795325112867, -1, -0.9238795325112867, -0.7071067811865476,
      -0.3826834323650898, 0, 0.3826834323650898, 0.7071067811865476, 0.9238795325112867,
    ]
    return (table[sixteenth], table[(sixteenth + 12) % 16])
  }

  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }
}
