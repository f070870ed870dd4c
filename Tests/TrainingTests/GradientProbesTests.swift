import Testing
import Training

/// What is differentiated where there is much time, some, and hardly any.
@Suite("Probes of gradients")
struct GradientProbesTests {
  typealias Probe = GradientProbes.Probe

  @Test("with time for it every coordinate of every tensor")
  func everything() {
    let probes = GradientProbes(counts: [6, 3, 1], derivatives: 10)
    #expect(probes.list == [0, 1, 2].map { Probe(tensors: [$0], directions: nil) })
    #expect(probes.text(counts: [6, 3, 1]) == "all 10 coordinates")
  }

  @Test("small tensors in all coordinates, large ones in random directions")
  func mixed() {
    let counts = [1000, 8, 500, 3]
    let probes = GradientProbes(counts: counts, derivatives: 24)
    #expect(
      probes.list == [
        Probe(tensors: [0], directions: 4), Probe(tensors: [1], directions: nil),
        Probe(tensors: [2], directions: 4), Probe(tensors: [3], directions: nil),
      ])
    #expect(probes.text(counts: counts) == "11 coordinates and 8 random directions")
  }

  @Test("neighbouring tensors together where there is no time for each")
  func together() {
    let probes = GradientProbes(counts: [900, 9, 900, 9, 900], derivatives: 2)
    #expect(
      probes.list == [
        Probe(tensors: [0, 1, 2], directions: 1), Probe(tensors: [3, 4], directions: 1),
      ])
    #expect(probes.text(counts: [900, 9, 900, 9, 900]) == "2 random directions")
  }

  @Test(
    "every tensor is in exactly one probe, and there are no more derivatives than allowed",
    arguments: [1, 2, 3, 7, 8, 20, 100, 1000])
  func bounds(derivatives: Int) {
    let counts = [5, 700, 12, 1, 64, 3, 9000]
    let probes = GradientProbes(counts: counts, derivatives: derivatives)
    #expect(probes.list.flatMap(\.tensors).sorted() == Array(counts.indices))
    let used = probes.list.reduce(0) { sum, probe in
      sum + (probe.directions ?? counts[probe.tensors[0]])
    }
    #expect(used <= derivatives)
  }
}
