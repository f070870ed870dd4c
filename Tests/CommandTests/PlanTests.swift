import Foundation
import Testing

@Suite("Plan", .serialized)
struct PlanTests {
  @Test("plan predicts memory, sums, the step and the curve, and writes nothing")
  func plan() throws {
    let command = try Command.table()
    defer { command.remove() }
    let before = try command.everything()
    let result = try command.run(["plan", "table.yaml", "--ranks", "8", "--hosts", "2"])
    #expect(result.status == 0 && result.errors == "", "\(result.errors)")
    let patterns = [
      "ranks +8 on 2 hosts, 4 on each", "batch +24 = 8 shards x 3",
      "network +10 Gbit/s per host, 30 us", "  gradients +[0-9.]+ kB +1 leaf of the tree",
      "  bucket 0 +.* 2", "predicted step", "    8      2 .*%",
    ]
    for pattern in patterns {
      #expect(try Regex(pattern).firstMatch(in: result.output) != nil, "\(pattern)")
    }
    #expect(try command.everything() == before)
  }

  @Test("plan knows uneven hosts, hosts that share cores, and sends nothing on one host")
  func otherClusters() throws {
    let command = try Command.table()
    defer { command.remove() }
    func output(_ arguments: [String]) throws -> String {
      let result = try command.run(["plan", "table.yaml"] + arguments)
      #expect(result.status == 0 && result.errors == "", "\(result.errors)")
      return result.output
    }
    let uneven = try output(["--ranks", "7", "--hosts", "3", "--cores", "2"])
    for pattern in [
      "ranks +7 on 3 hosts, up to 3 on each", "hosts have 2\n", "  messages +[0-9.]+ k?B +pieces",
      "    7      3 .*%",
    ] {
      #expect(try Regex(pattern).firstMatch(in: uneven) != nil, "\(pattern)\n\(uneven)")
    }
    let single = try output(["--ranks", "4"])
    #expect(single.firstMatch(of: /total .* 0 B +0\n/) != nil, "\(single)")
    #expect(single.firstMatch(of: /messages +[0-9]/) == nil)
  }

  @Test("data that are not on this machine cost a warning, not the plan")
  func noData() throws {
    let command = try Command.table()
    defer { command.remove() }
    try FileManager.default.removeItem(atPath: command.path("table.csv"))
    let result = try command.run(["plan", "table.yaml", "--ranks", "2"])
    #expect(result.status == 0)
    #expect(
      result.errors.hasPrefix("warning: loading is not counted, as the data cannot be read\n"))
    #expect(result.output.contains("  loading      0 (0)"), "\(result.output)")
  }

  @Test("more ranks than micro-shards are refused, and overrides give more")
  func tooManyRanks() throws {
    let command = try Command.table()
    defer { command.remove() }
    try expectRefusal(
      command, ["plan", "table.yaml", "--ranks", "16"],
      """
      --ranks 16: 16 ranks for 8 micro-shards
        expected: at most as many ranks as training.shards, so that every rank has work
        to fix:   start 8 ranks or fewer, or set training.shards to 16 or more (a divisor of training.batch = 24); other shards give other bits
      """)
    let more = ["plan", "table.yaml", "--ranks", "16", "--batch", "32", "training.shards=16"]
    #expect(try command.run(more).status == 0)
  }

  @Test("a cluster or network that cannot be is refused, all at once")
  func badCluster() throws {
    let command = try Command.table()
    defer { command.remove() }
    try expectRefusal(
      command,
      [
        "plan", "table.yaml", "--ranks", "2", "--hosts", "3", "--cores", "0", "--bandwidth", "0",
        "--latency=-1",
      ],
      """
      --hosts 3: 2 ranks cannot use 3 hosts
        expected: 1 to 2 hosts
        to fix:   use at most as many hosts as ranks
      --cores 0: no host has so few cores
        expected: 1 or more cores
        to fix:   leave --cores out for hosts with a core for every rank
      --bandwidth 0.0: no link has this bandwidth
        expected: a positive number of Gbit/s
        to fix:   use 10 for 10-gigabit Ethernet
      --latency -1.0: no network has this latency
        expected: 0 or more microseconds
        to fix:   use 30 for TCP over Ethernet, 2 for InfiniBand
      """)
  }

  @Test("--simgrid writes a folder per cluster and a script that replays them")
  func simgrid() throws {
    let command = try Command.table()
    defer { command.remove() }
    let result = try command.run([
      "plan", "table.yaml", "--ranks", "4", "--hosts", "2", "--simgrid", "traces",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let files = try FileManager.default.contentsOfDirectory(atPath: command.path("traces"))
    #expect(files.sorted() == ["ranks-1", "ranks-2", "ranks-4", "replay"])
    let inner = try FileManager.default.contentsOfDirectory(atPath: command.path("traces/ranks-4"))
    #expect(
      inner.sorted() == [
        "hostfile", "platform.xml", "rank-0.txt", "rank-1.txt", "rank-2.txt", "rank-3.txt",
        "traces.txt",
      ])
    #expect(try command.read("traces/ranks-4/hostfile") == "host-0\nhost-0\nhost-1\nhost-1\n")
    #expect(FileManager.default.isExecutableFile(atPath: command.path("traces/replay")))
  }
}
