import Plan
import Scaling
import Testing

@Suite("Scaling curve")
struct ScalingCurveTests {
  @Test("efficiency is the time of one rank over the time of all of them together")
  func efficiency() throws {
    let small = try SmallPlan()
    let curve = ScalingCurve(
      shards: 64, times: small.times(operation: 1e-3, update: 1e-3),
      cluster: Cluster(ranks: 64, hosts: 8), network: freeNetwork
    ) { _ in small.plan }
    #expect(curve.points.map(\.cluster.ranks) == [1, 2, 4, 8, 16, 32, 64])
    let shard = 1e-3 * Double(small.plan.graph.operations.count)
    for point in curve.points {
      let ranks = Double(point.cluster.ranks)
      let ideal = (64 * shard + 1e-3) / (64 * shard + ranks * 1e-3)
      #expect(isClose(point.strongEfficiency, ideal), "\(point.cluster)")
      #expect(isClose(point.weakEfficiency, 1), "\(point.cluster)")
    }
  }

  @Test("a slow network costs weak scaling its sums and strong scaling more")
  func slowNetwork() throws {
    let small = try SmallPlan()
    let curve = ScalingCurve(
      shards: 64, times: small.times(operation: 1e-4, update: 1e-3),
      cluster: Cluster(ranks: 16, hosts: 16), network: NetworkModel(gigabits: 1, microseconds: 100)
    ) { _ in small.plan }
    let last = try #require(curve.points.last)
    #expect(last.weakEfficiency < 0.95 && last.strongEfficiency <= last.weakEfficiency)
    #expect(curve.withoutOverlap.totalSeconds >= last.strong.totalSeconds)
  }

  @Test("the report shows memory, traffic, the step and the curve")
  func report() throws {
    let small = try SmallPlan(bucketElements: 1 << 20)
    let cluster = Cluster(ranks: 4, hosts: 2)
    let memory = RankMemory(
      training: small.plan, evaluation: small.plan, rule: .sgd, hasAverage: false, shards: 8,
      cluster: cluster)
    let times = small.times(operation: 1e-3, sumPerByte: 1e-10, flag: 1e-6)
    let network = NetworkModel(gigabits: 100, microseconds: 2)
    let report = ScalingReport(
      ScalingCurve(shards: 8, times: times, cluster: cluster, network: network) { _ in small.plan },
      batch: 32, shards: 8, memory: memory, times: times, cluster: cluster, network: network)
    #expect(
      report.text == """
        ranks          4 on 2 hosts, 2 on each
        batch          32 = 8 shards x 4
        network        100 Gbit/s per host, 2 us
        cores          measured: 2 busy, alone in brackets; hosts have one per rank
          micro-shard  18.0 ms (18.0 ms)
          loading      0 (0)
          fold a leaf  0 (0)
          check        0 (0)
          update       0 (0)
          adding up    10.0 GB/s per rank (10.0 GB/s)
          flag         1.00 us

        memory per rank
          parameters     66.6 kB  weights
          gradients       134 kB  2 leaves of the tree
          messages       33.4 kB  pieces of other hosts' sums
          activations    6.21 kB  inputs and values of 4 samples
          total           240 kB

        sum of gradients    bytes  added/rank  sent/host  messages/rank
          bucket 0        66.8 kB      200 kB    66.8 kB              1
          total           66.8 kB      200 kB    66.8 kB              1

        predicted step
          compute       36.0 ms
          sums          29.3 us  exposed; 29.3 us without overlap, 0% hidden
          total         36.0 ms  888 samples/s

        scaling at batch 32; weak: 8 samples per rank
        ranks  hosts  compute     sums     step  efficiency  weak step  efficiency
            1      1   144 ms        0   144 ms      100.0%    36.0 ms      100.0%
            2      1  72.0 ms  12.0 us  72.0 ms      100.0%    36.0 ms      100.0%
            4      2  36.0 ms  29.3 us  36.0 ms       99.9%    36.0 ms       99.9%

        """)
  }
}
