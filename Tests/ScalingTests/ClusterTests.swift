import Graph
import Optimizers
import Plan
import Scaling
import Testing

@Suite("Clusters, traffic and memory")
struct ClusterTests {
  @Test("a cluster is filled host after host")
  func growth() {
    let growth = Cluster(ranks: 24, hosts: 3).growth
    #expect(growth.map(\.ranks) == [1, 2, 4, 8, 16, 24])
    #expect(growth.map(\.hosts) == [1, 1, 1, 1, 2, 3])
    #expect(Cluster(ranks: 8, hosts: 8).growth.map(\.hosts) == [1, 2, 4, 8])
    #expect(Cluster(ranks: 1, hosts: 1).growth == [Cluster(ranks: 1, hosts: 1)])
  }

  @Test("costs between those of one busy core and all of them lie between")
  func contention() throws {
    let small = try SmallPlan()
    var times = small.times(operation: 1)
    times.cores = 5
    times.crowded.operationSeconds = times.crowded.operationSeconds.map { 2 * $0 }
    let factors = [1, 2, 3, 5, 50].map { times.times(localRanks: $0).operationSeconds[0] }
    #expect(factors == [1, 1.25, 1.5, 2, 2])
  }

  @Test("ranks that outnumber the cores of their host take turns")
  func sharedCores() throws {
    let small = try SmallPlan()
    var times = small.times(operation: 1)
    times.crowded.operationSeconds = times.crowded.operationSeconds.map { 2 * $0 }
    times.hostCores = 2
    let factors = [1, 2, 3, 8].map { times.times(localRanks: $0).operationSeconds[0] }
    #expect(factors == [1, 2, 3, 8])
  }

  @Test("ranks that divide the update need a share of its time, two flags and the copying")
  func dividedUpdate() throws {
    let small = try SmallPlan()
    var times = small.times(operation: 1, sumPerByte: 1e-3, flag: 0.25, update: 8)
    times.dividedBytes = 1000
    #expect(times.times(localRanks: 1).updateSeconds == 8)
    let four = times.times(localRanks: 4)
    #expect(isClose(four.updateSeconds, 2 + 0.25 + 2 * 750 * 1e-3) && four.checkSeconds == 0.25)
  }

  @Test("bytes of a sum inside a host and between hosts")
  func traffic() {
    func traffic(_ ranks: Int, _ hosts: Int) -> SumTraffic {
      SumTraffic(bucket: 0..<1 << 16, Cluster(ranks: ranks, hosts: hosts).layout(shards: 16))
    }
    let bytes = 4 << 16
    let many = traffic(16, 4)
    #expect(many.byteCount == bytes)
    // A slice is read from four ranks and written, then half of it is added twice.
    #expect(many.addedBytesPerRank == bytes / 4 * 5 + bytes / 4 * 3)
    #expect(many.sentBytesPerHost == bytes * 2 * 3 / 4)
    #expect(many.messagesPerRank == 3)
    let alone = traffic(1, 1)
    #expect(alone.addedBytesPerRank == 0 && alone.sentBytesPerHost == 0)
  }

  @Test("a rank's memory is weights, optimizer state, leaves of the tree and one arena")
  func memory() throws {
    let plan = try SmallPlan().plan
    func memory(_ ranks: Int, _ rule: UpdateRule, average: Bool = false) -> RankMemory {
      RankMemory(
        training: plan, evaluation: plan, rule: rule, hasAverage: average, shards: 8,
        cluster: Cluster(ranks: ranks, hosts: 1))
    }
    let parameters = plan.leaf.parameterCount * 4
    let adam = memory(1, .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), average: true)
    #expect(adam["parameters"] == parameters && adam["average"] == parameters)
    #expect(adam["optimizer"] == 2 * parameters)
    // Eight shards of one rank need 1 + log2 8 leaves, one shard needs its own.
    #expect(adam["gradients"] == 4 * 4 * plan.leaf.count)
    #expect(memory(8, .sgd)["gradients"] == 4 * plan.leaf.count)
    #expect(memory(8, .sgd)["optimizer"] == 0)
    let spread = RankMemory(
      training: plan, evaluation: plan, rule: .sgd, hasAverage: false, shards: 8,
      cluster: Cluster(ranks: 2, hosts: 2))
    // Every bucket comes in.
    #expect(adam["messages"] == 0 && spread["messages"] == 4 * plan.leaf.count)
    #expect(adam["activations"] == 4 * plan.arena.count)
    #expect(adam.byteCount == adam.parts.reduce(0) { $0 + $1.byteCount })
  }
}
