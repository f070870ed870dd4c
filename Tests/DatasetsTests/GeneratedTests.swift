import Datasets
import Testing

@Suite("Generated sets")
struct GeneratedTests {
  @Test("four samples of xor without noise are its truth table")
  func xor() throws {
    let folder = try TestFolder()
    let spec = GeneratedSpec(kind: .xor, samples: 4, noise: 0)
    let data = try folder.load(DataSpec(source: .generated(spec)), outputs: 2)
    #expect(data.rawInputs == [[0, 0], [0, 1], [1, 0], [1, 1]])
    #expect(data.labels == [0, 1, 1, 0])
    #expect(data.path == nil)
    #expect(data.warnings == [])
  }

  @Test(
    "every kind depends on the seed alone and has classes of equal size",
    arguments: GeneratedKind.allCases.filter { $0 != .images })
  func pure(kind: GeneratedKind) {
    let spec = GeneratedSpec(kind: kind, samples: 400, noise: 0.2)
    let samples = GeneratedSamples(spec: spec, seed: 5)
    let again = GeneratedSamples(spec: spec, seed: 5)
    let other = GeneratedSamples(spec: spec, seed: 6)
    #expect((0..<400).allSatisfy { samples.point(of: $0) == again.point(of: $0) })
    // Spirals of any seed start in the origin.
    #expect((0..<400).count { samples.point(of: $0) == other.point(of: $0) } <= 2)
    #expect((0..<400).count { samples.label(of: $0) == 1 } == 200)
  }

  @Test("the flower is r = 4 sin 4t, half a circle per class")
  func flower() {
    let samples = GeneratedSamples(
      spec: GeneratedSpec(kind: .flower, samples: 400, noise: 0), seed: 1)
    // Class 1, number 50 of 0...199: t = 3.12 + 50 / 199 * 3.12. python3 -c "from math import *;
    // t = 3.12 + 50/199*3.12; r = 4*sin(4*t); print(r*sin(t), r*cos(t))"
    let point = samples.point(of: 101)
    #expect(abs(point.x + 0.2545683439165514) < 1e-12)
    #expect(abs(point.y + 0.2665943360513179) < 1e-12)
    #expect(samples.label(of: 101) == 1)
  }

  @Test("noise has the deviation that was asked for")
  func noise() {
    let samples = GeneratedSamples(
      spec: GeneratedSpec(kind: .xor, samples: 40_000, noise: 0.5), seed: 1)
    let values = (0..<10_000).map { samples.point(of: 4 * $0) }
    let mean = values.reduce(SIMD2<Double>.zero, +) / 10_000
    let squares = values.reduce(SIMD2<Double>.zero) { $0 + $1 * $1 } / 10_000
    // The mean of 10,000 has deviation 0.005, their mean square 0.25 · sqrt(2) / 100 = 0.0035.
    #expect(abs(mean.x) < 0.025 && abs(mean.y) < 0.025)
    #expect(abs(squares.x - 0.25) < 0.018 && abs(squares.y - 0.25) < 0.018)
  }

  @Test("answers of yes and no come from two classes, and parts are cut")
  func multiHot() throws {
    let folder = try TestFolder()
    var spec = DataSpec(source: .generated(GeneratedSpec(kind: .moons, samples: 100, noise: 0.1)))
    spec.target = .multiHot
    spec.test = .fraction(0.25, stratified: false)
    let data = try folder.load(spec, outputs: 1)
    #expect(data.shape.target == .numbers(width: 1, names: nil, isMultiHot: true))
    #expect(data.train.count == 75)
    #expect(data.test?.count == 25)
  }

  @Test("settings that make no set are told at once")
  func faults() throws {
    let folder = try TestFolder()
    var generated = GeneratedSpec(kind: .blobs, samples: 0, noise: -1)
    generated.classes = 1
    let message = try folder.message {
      _ = try folder.load(DataSpec(source: .generated(generated)))
    }
    #expect(
      message == """
        data.samples: 0 samples cannot be trained on
          expected: at least one sample
          to fix:   use a few hundred
        data.noise: noise -1.0 is no standard deviation
          expected: a number from 0
          to fix:   use 0.2, or 0 for none
        data.classes: 1 classes cannot be told apart
          expected: at least 2
          to fix:   use 2 or 3
        """)
  }
}
