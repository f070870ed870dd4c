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
    let small = try SmallPlan(width: 256, bucketElements: 1 << 20)
    #expect(small.plan.buckets.count == 1)
    var network = NetworkModel(latencySeconds: 50e-6, bytesPerSecond: 1e8)
    network.eagerBytes = .max
    for hosts in [2, 4, 8, 16] {
      let cluster = Cluster(ranks: 4 * hosts, hosts: hosts)
      let step = small.step(
        small.times(operation: 1e-3), cluster, network, overlaps: false)
      let volume = small.leafBytes * 2 * Double(hosts - 1) / Double(hosts) / 1e8
      let stages = 2 * Double(hosts.trailingZeroBitCount) - 1
      // Slices and pieces end on cache lines; the smallest piece has 257 of them.
      let difference = step.exposedSeconds / (volume + stages * 50e-6) - 1
      #expect(difference.magnitude < 0.01, "\(hosts) hosts: \(difference)")
    }
  }

  @Test("inside a host a slice is read from every rank, behind two flags")
  func sharedMemory() throws {
    let small = try SmallPlan(width: 256, bucketElements: 1 << 20)
    let times = small.times(operation: 1e-3, sumPerByte: 1e-9, flag: 1e-5)
    let step = small.step(times, Cluster(ranks: 4, hosts: 1), freeNetwork, overlaps: false)
    let difference = step.exposedSeconds / (small.leafBytes / 4 * 5 * 1e-9 + 2e-5) - 1
    #expect(difference.magnitude < 0.01, "\(difference)")
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

  // MARK: By hand: hosts with a rank each, L = 1 ms, B = 1e8 bytes/s

  private let slow = NetworkModel(latencySeconds: 1e-3, bytesPerSecond: 1e8)

  /// All hosts run the same actions over one bucket.
  private func seconds(
    _ byteCount: Int, hosts: Int = 2, _ actions: [StepProgram.Action]
  ) throws -> Double {
    let small = try SmallPlan()
    let traces = StepSimulation.run(
      Array(repeating: StepProgram(actions), count: hosts), buckets: [0..<byteCount / 4],
      Cluster(ranks: hosts, hosts: hosts).layout(shards: hosts), times: small.times(operation: 0),
      network: slow)
    return StepPrediction(traces).totalSeconds
  }

  @Test("a short message costs a latency, a long one asks first and costs three")
  func protocols() throws {
    let sum: [StepProgram.Action] = [.start(bucket: 0), .wait(bucket: 0)]
    #expect(isClose(try seconds(1 << 16, sum), 1e-3 + 65_536 / 1e8))
    #expect(isClose(try seconds(1 << 20, sum), 2 * (1e-3 + 524_288 / 1e8)))
    #expect(isClose(try seconds(1 << 22, sum), 2 * (3e-3 + 2_097_152 / 1e8)))
  }

  @Test("sums move on only where the plan polls or waits")
  func polls() throws {
    // Of four hosts: half a bucket to one of them, to another, and back.
    let message = 1e-3 + 32768 / 1e8
    func time(_ actions: [StepProgram.Action]) throws -> Double {
      try seconds(1 << 16, hosts: 4, [.start(bucket: 0)] + actions + [.wait(bucket: 0)])
    }
    // The first message is there after 1.3 ms; the next goes when somebody looks.
    #expect(isClose(try time([.compute(seconds: 4e-3)]), 4e-3 + 2 * message))
    let part = [StepProgram.Action.compute(seconds: 2e-3), .poll]
    #expect(isClose(try time(part + part), 4e-3 + message))
    #expect(isClose(try time(part + part + part), 6e-3))
    let early = try time([.compute(seconds: 1e-3), .poll, .compute(seconds: 3e-3)])
    #expect(isClose(early, 4e-3 + 2 * message))
  }

  @Test("a long message that nobody looks at waits at its beginning")
  func unattended() throws {
    // Announced at once, let in after 20 ms, then sent; the way back costs all of it again.
    let rest = 1e-3 + 1e-3 + Double((1 << 21) - slow.eagerBytes) / 1e8
    let whole = 3e-3 + Double(1 << 21) / 1e8
    let time = try seconds(
      1 << 22, [.start(bucket: 0), .compute(seconds: 20e-3), .wait(bucket: 0)])
    #expect(isClose(time, 20e-3 + rest + whole))
  }

  @Test("hosts wait for one that comes late")
  func late() throws {
    let small = try SmallPlan()
    let layout = Cluster(ranks: 2, hosts: 2).layout(shards: 3)
    let step = StepPrediction(
      StepSimulation.run(
        small.plan, layout, times: small.times(operation: 1e-3), network: freeNetwork))
    #expect(isClose(step.totalSeconds, 2e-3 * Double(small.plan.graph.operations.count)))
  }
}
