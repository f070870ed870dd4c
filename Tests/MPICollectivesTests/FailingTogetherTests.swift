import Collectives
import Diagnostics
import Foundation
import Storage
import Testing

/// How three ranks fail; each scene ends its process and is played by `FailingTogetherTests`.
enum FailureScene: String, CaseIterable {
  /// Rank 1 fails while the others wait for a message that never comes.
  case whileOthersWait
  /// Rank 1 fails while the others compute and do not call MPI.
  case whileOthersCompute
  /// All ranks find the same fault.
  case agreed

  static let variable = "DDP_TEST_FAILURE_SCENE"
  static let current = ProcessInfo.processInfo.environment[variable].flatMap(Self.init)

  static let fault = Diagnostic(place: "step 7", problem: "all is lost", remedy: "try again")

  @MPIThread
  func play(_ group: any Collectives) -> Never {
    runTogether(group) {
      switch self {
      case .agreed:
        throw AgreedFailure(Self.fault)
      case .whileOthersWait, .whileOthersCompute:
        if group.rank == 1 { throw Self.fault }
        try self == .whileOthersWait ? Self.waitForever(group) : Self.compute()
      }
    }
  }

  private static func waitForever(_ group: any Collectives) throws {
    let memory = AlignedMemory<Float>(count: 1)
    let slot = group.reserveSlots(1).lowerBound
    try group.startReceive(memory.block, from: 1, tag: 0, slot: slot)
    try group.wait(slot)
    withExtendedLifetime(memory) {}
  }

  private static func compute() {
    Thread.sleep(forTimeInterval: 60)
  }
}

extension DistributedTests {
  @Suite("A scene of failure", .serialized, .enabled(if: FailureScene.current != nil))
  @MPIThread
  struct SceneOfFailure {
    @Test("is played to its end")
    func play() throws {
      let scene = try #require(FailureScene.current)
      scene.play(try DistributedTests.group())
    }
  }
}

@Suite("Failing together", .serialized, .enabled(if: !isLaunchedByMPI))
struct FailingTogetherTests {
  @Test(
    "the message is the last thing said, once, and the job ends in time",
    arguments: FailureScene.allCases)
  func scene(_ scene: FailureScene) throws {
    let start = ContinuousClock.now
    let (text, status) = try Self.play(scene)
    let message = "step 7: all is lost\n  to fix:   try again\n"
    let name = "rank 1 of 3 (\(ProcessInfo.processInfo.hostName)): "
    #expect(
      text.hasSuffix("\n" + (scene == .agreed ? message : name + message)), "\(text.suffix(900))")
    #expect(text.components(separatedBy: "all is lost").count == 2)
    #expect(status == 2)
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  /// Starts this test binary on three ranks; what it says and its exit code.
  private static func play(_ scene: FailureScene) throws -> (String, Int32) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "mpirun", "-n", "3", "--oversubscribe",
      try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      "--testing-library", "swift-testing", "--filter", "SceneOfFailure",
    ]
    process.environment = ProcessInfo.processInfo.environment.merging([
      FailureScene.variable: scene.rawValue, "OMPI_ALLOW_RUN_AS_ROOT": "1",
      "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    ]) { _, new in new }
    let pipe = Pipe()
    process.standardError = pipe
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (String(decoding: data, as: UTF8.self), process.terminationStatus)
  }
}
