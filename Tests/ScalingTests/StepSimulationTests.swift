import Plan
import Scaling
import Testing

@Suite("Step simulation")
struct StepSimulationTests {
  @Test("one rank computes all micro-shards and updates; nothing is exposed")
  func oneRank() throws {
    let small = try SmallPlan()
    let operations = Double(small.plan.graph.operations.count)
    let step = small.step(
      small.times(operation: 1e-3, sumPerByte: 1, flag: 1, update: 5),
      Cluster(ranks: 1, hosts: 1), .standard, shards: 8)
    #expect(isClose(step.totalSeconds, 8 * operations * 1e-3 + 5))
    #expect(step.exposedSeconds < 1e-9)
  }

  @Test("with a network that costs nothing R ranks are R times as fast", arguments: [2, 4, 16, 64])
  func ideal(ranks: Int) throws {
    let small = try SmallPlan()
    let times = small.times(operation: 1e-3)
    let one = small.step(times, Cluster(ranks: 1, hosts: 1), freeNetwork)
    let many = small.step(times, Cluster(ranks: ranks, hosts: max(1, ranks / 2)), freeNetwork)
    #expect(isClose(one.totalSeconds, Double(ranks) * many.totalSeconds))
  }

  @Test("leaves that do not divide evenly make all wait for the rank with the most")
  func uneven() throws {
    let small = try SmallPlan()
    let times = small.times(operation: 1e-3)
    let operations = Double(small.plan.graph.operations.count)
    let step = small.step(times, Cluster(ranks: 3, hosts: 1), freeNetwork, shards: 8)
    #expect(isClose(step.totalSeconds, 3 * operations * 1e-3))
  }

  @Test("without overlap sums cost their latencies and 2 (H - 1) / H of the gradient on the link")
  func alphaBeta() throws {
    let small = try SmallPlan(bucketElements: 1 << 20)
    #expect(small.plan.buckets.count == 1)
    let network = NetworkModel(latencySeconds: 50e-6, bytesPerSecond: 1e8)
    for hosts in [2, 4, 8, 16] {
      let cluster = Cluster(ranks: 4 * hosts, hosts: hosts)
      let step = small.step(
        small.times(operation: 1e-3), cluster, network, overlaps: false)
      let volume = small.leafBytes * 2 * Double(hosts - 1) / Double(hosts) / 1e8
      let stages = 2 * Double(hosts.trailingZeroBitCount)
      #expect(isClose(step.exposedSeconds, volume + stages * 50e-6), "\(hosts) hosts")
    }
  }

  @Test("inside a host a slice is read from every rank, behind two flags")
  func sharedMemory() throws {
    let small = try SmallPlan(bucketElements: 1 << 20)
    let times = small.times(operation: 1e-3, sumPerByte: 1e-9, flag: 1e-5)
    let step = small.step(times, Cluster(ranks: 4, hosts: 1), freeNetwork, overlaps: false)
    #expect(isClose(step.exposedSeconds, small.leafBytes / 4 * 5 * 1e-9 + 2e-5))
  }

  @Test("buckets that are ready early hide behind the rest of backward, the last one cannot")
  func overlap() throws {
    let small = try SmallPlan(layers: 8)
    let cluster = Cluster(ranks: 2, hosts: 2)
    let lastBytes = Double((small.plan.buckets.last?.count ?? 0) * 4)
    // A bucket's exchange takes about as long as one operation.
    let network = NetworkModel(latencySeconds: 1e-6, bytesPerSecond: lastBytes / 1e-3)
    let times = small.times(operation: 1e-3)
    let hidden = small.step(times, cluster, network)
    let open = small.step(times, cluster, network, overlaps: false)
    #expect(isClose(open.computeSeconds, hidden.computeSeconds))
    #expect(open.exposedSeconds > small.leafBytes / lastBytes * 1e-3)
    #expect(hidden.exposedSeconds < 0.4 * open.exposedSeconds)
    #expect(hidden.exposedSeconds > 1e-3)
  }

  @Test("a slower network never makes a step faster")
  func monotonous() throws {
    let small = try SmallPlan(layers: 6)
    let times = small.times(operation: 1e-4, sumPerByte: 1e-10, flag: 1e-6)
    for cluster in Cluster(ranks: 48, hosts: 6).growth {
      let steps = [100, 10, 1, 0.1].map {
        small.step(times, cluster, NetworkModel(gigabits: $0, microseconds: 20)).totalSeconds
      }
      #expect(steps == steps.sorted(), "\(cluster)")
    }
  }
}
