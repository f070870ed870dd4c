import Datasets
import Testing
import Training

@Suite("What a rank computes of a part")
struct EvaluationShareTests {
  /// All samples of all ranks, pass by pass, as rank, samples and whether rows begin.
  private func passes(
    _ count: Int, ranks: Int, capacity: Int, order: ContinuedOrder?, unit: Int = 1
  ) -> [(rank: Int, samples: [Int], begins: Bool)] {
    (0..<ranks).flatMap { rank in
      let share = EvaluationShare(
        ofRank: rank, of: ranks, samples: count, unit: unit, order: order, capacity: capacity)
      return (0..<share.passCount).map { pass in
        let samples = share.positions(ofPass: pass).map {
          share.samples.lowerBound + share.index(ofPosition: $0)
        }
        #expect(samples.allSatisfy(share.samples.contains) && samples.count <= capacity)
        return (rank, samples, share.begins(pass))
      }
    }
  }

  @Test(
    "every sample belongs to one pass of one rank",
    arguments: [0, 1, 3, 17, 160, 161, 1000], [1, 2, 3, 4])
  func everySample(count: Int, ranks: Int) {
    let continued = ContinuedOrder(count: count, rows: 8, lastBounds: [0, count % 8])
    for order in [nil, continued] {
      for capacity in [1, 3, 8, 50] {
        let samples = passes(count, ranks: ranks, capacity: capacity, order: order)
        #expect(samples.flatMap(\.samples).sorted() == Array(0..<count))
      }
    }
  }

  @Test("samples of a unit stay in one rank")
  func units() {
    for pass in passes(21, ranks: 3, capacity: 4, order: nil, unit: 4) {
      #expect(Set(pass.samples.map { $0 / 4 }).count <= 1)
    }
  }

  @Test(
    "a row of a pass goes on with the row of the pass before, unless rows begin",
    arguments: [1, 2, 3])
  func goesOn(ranks: Int) {
    let order = ContinuedOrder(count: 77, rows: 8, lastBounds: [0, 77 % 8])
    let starts = Set((0..<8).map { order.firstSample(ofRow: $0) })
    for capacity in [1, 3, 8] {
      var before: (rank: Int, samples: [Int]) = (-1, [])
      for pass in passes(77, ranks: ranks, capacity: capacity, order: order) {
        if pass.begins || pass.rank != before.rank {
          #expect(pass.begins && starts.isSuperset(of: pass.samples))
        } else {
          #expect(pass.samples == before.samples.prefix(pass.samples.count).map { $0 + 1 })
        }
        before = (pass.rank, pass.samples)
      }
    }
  }
}
