// swift-tools-version: 6.2
import PackageDescription

/// `DDP_ARCH` names the processor to build for, in clang's words (`native`, `x86-64-v3`, `x86-64-v4`).
/// The flag reaches Swift through the clang importer; without it a fused multiply-add is a library call.
let architecture = Context.environment["DDP_ARCH"] ?? "native"
#if arch(x86_64)
  let machineFlag = "-march=\(architecture)"
#else
  let machineFlag = "-mcpu=\(architecture)"
#endif

/// What `ddp-train version` says it was built from. make hands it over; SwiftPM reads git itself only
/// when it reads this file, so without make the answer may be older than the sources.
let revision =
  Context.environment["DDP_REVISION"]
  ?? Context.gitInformation.map { "\($0.currentCommit) or later" } ?? "unknown"

let careful: [SwiftSetting] = [.strictMemorySafety(), .treatAllWarnings(as: .error)]
/// The kernels switch the memory-safety checker off: their doors are narrow and checked at bind time.
/// Without `-fno-math-errno` every square root is a branch to the C library, and no loop around it a vector loop.
let numeric: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .unsafeFlags(["-Ounchecked", "-Xcc", machineFlag, "-Xcc", "-fno-math-errno"]),
]

/// For loops over numbers outside the kernels: the processor's vectors, with all checks.
let vectorised: SwiftSetting = .unsafeFlags(["-Xcc", machineFlag])

/// For code that runs once or waits for programs: optimising it takes far longer than it ever saves
/// (the config's declarations 80 seconds of a build).
let quickToBuild: SwiftSetting = .unsafeFlags(["-Onone"])

func room(
  _ name: String, _ dependencies: [Target.Dependency] = [], _ settings: [SwiftSetting] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: ["README.md"],
    swiftSettings: careful + settings)
}

/// - Parameter computes: Whether the tests work out numbers in loops of their own, or count what loops allocate.
func suite(
  _ name: String, _ dependencies: [Target.Dependency], resources: [String] = [],
  computes: Bool = false
) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: dependencies, exclude: resources,
    swiftSettings: [.treatAllWarnings(as: .error)] + (computes ? [] : [quickToBuild]))
}

let package = Package(
  name: "ddp-train",
  products: [
    .executable(name: "ddp-train", targets: ["ddp-train"]),
    .executable(name: "ddp-bench", targets: ["ddp-bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CInstructionSet"),
    .target(
      name: "CBuildInformation", cSettings: [.define("DDP_REVISION", to: "\"\(revision)\"")]),
    // Counts heap allocations by replacing malloc: for tests and benchmarks only.
    .target(name: "CAllocationCount"),
    // Counts the instructions of a piece of work by stepping through a copy of the process: for tests only.
    .target(name: "CInstructionCount"),
    .systemLibrary(name: "CPrefetch"),
    .systemLibrary(name: "CVectors"),

    room("Diagnostics"),
    room("Randomness"),
    room("Graph", ["Diagnostics"]),
    room("Storage", ["Diagnostics", "CCrypto", "CXXHash"]),
    .target(
      name: "Kernels",
      dependencies: ["CInstructionSet", "CVectors", "Graph", "Randomness", "Storage"],
      exclude: ["README.md"], swiftSettings: numeric),
    room("Plan", ["Graph"]),
    room("Optimizers", ["Diagnostics", "Graph", "Kernels", "Storage"]),
    room("Collectives", ["Diagnostics", "Storage"]),
    .systemLibrary(name: "CAffinity"),
    room("Placement", ["CAffinity", "Collectives"]),
    room("MPICollectives", ["CMPI", "Collectives", "Diagnostics", "Placement", "Storage"]),
    room("DataParallel", ["Collectives", "Diagnostics", "Kernels", "Metrics", "Storage"]),
    room(
      "Datasets", ["CPrefetch", "CZlib", "Diagnostics", "Randomness", "Storage"], [vectorised]),
    room("Checkpoints", ["Diagnostics", "Storage"]),
    room("Metrics", ["Diagnostics", "Storage"]),
    room(
      "Engine",
      [
        "DataParallel", "Diagnostics", "Graph", "Kernels", "Metrics", "Optimizers", "Plan",
        "Randomness", "Storage",
      ]),
    room(
      "Training",
      [
        "Checkpoints", "Collectives", "DataParallel", "Datasets", "Diagnostics", "Engine", "Graph",
        "Kernels", "Metrics", "Optimizers", "Placement", "Plan", "Randomness", "Storage",
      ]),
    .target(
      name: "Scaling", dependencies: ["DataParallel", "Metrics", "Optimizers", "Plan"],
      exclude: ["Examples", "README.md"], swiftSettings: careful),
    room(
      "Calibration",
      [
        "Collectives", "DataParallel", "Datasets", "Engine", "Kernels", "Plan", "Scaling", "Storage",
        "Training",
      ]),
    room(
      "Configuration",
      [
        "Datasets", "Diagnostics", "Graph", "Optimizers", "Placement", "Training",
        .product(name: "Yams", package: "Yams"),
      ], [quickToBuild]),
    room("Benchmarks", ["Graph", "Kernels", "Metrics", "Plan"]),
    .executableTarget(
      name: "ddp-train",
      dependencies: [
        "Calibration", "CBuildInformation", "Checkpoints", "Collectives", "Configuration",
        "DataParallel", "Datasets", "Diagnostics", "Engine", "Graph", "Kernels", "Metrics",
        "MPICollectives", "Optimizers", "Placement", "Plan", "Scaling", "Storage", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], exclude: ["README.md"], swiftSettings: careful),
    .executableTarget(
      name: "ddp-bench",
      dependencies: [
        "Benchmarks", "Calibration", "Checkpoints", "CInstructionCount", "Collectives",
        "Configuration", "DataParallel", "Datasets", "Diagnostics", "Engine", "Graph", "Kernels",
        "MPICollectives", "Metrics", "Optimizers", "Placement", "Plan", "Scaling", "Storage", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], exclude: ["README.md"], swiftSettings: careful),

    suite("Diagnostics", ["Diagnostics"]),
    suite("Randomness", ["Randomness"]),
    suite("Storage", ["CAllocationCount", "Diagnostics", "Storage"], computes: true),
    suite("Graph", ["Diagnostics", "Graph"]),
    suite(
      "Kernels", ["CAllocationCount", "Graph", "Kernels", "Randomness", "Storage"], computes: true),
    suite("Plan", ["Graph", "Plan"]),
    suite(
      "Optimizers",
      ["CAllocationCount", "Diagnostics", "Graph", "Kernels", "Optimizers", "Storage"],
      resources: ["golden_schedules.py", "golden_updates.py"], computes: true),
    suite(
      "MPICollectives",
      [
        "CAllocationCount", "Collectives", "DataParallel", "Diagnostics", "MPICollectives",
        "Placement",
        "Storage",
      ], computes: true),
    suite(
      "DataParallel",
      [
        "CAllocationCount", "Collectives", "DataParallel", "Diagnostics", "Kernels", "Metrics",
        "Scaling", "Storage",
      ], computes: true),
    suite(
      "Datasets", ["Datasets", "Diagnostics", "Randomness", "Storage"], resources: ["Golden"]),
    suite("Placement", ["Collectives", "Placement", "Storage"]),
    suite("Checkpoints", ["Checkpoints", "Diagnostics", "Storage"]),
    suite("Metrics", ["CAllocationCount", "Diagnostics", "Metrics", "Storage"], computes: true),
    suite("Benchmarks", ["Benchmarks", "Graph", "Plan"]),
    suite("Scaling", ["DataParallel", "Graph", "Optimizers", "Plan", "Scaling"]),
    suite(
      "Configuration",
      ["Configuration", "Datasets", "Diagnostics", "Graph", "Optimizers", "Training"]),
    suite(
      "Engine",
      [
        "CAllocationCount", "Collectives", "DataParallel", "Datasets", "Engine", "Graph", "Kernels",
        "Metrics", "Optimizers", "Plan", "Randomness", "Storage",
      ], computes: true),
    suite(
      "Training",
      [
        "CAllocationCount", "Checkpoints", "Collectives", "DataParallel", "Datasets",
        "Diagnostics", "Engine", "Graph", "Kernels",
        "Metrics", "Optimizers", "Plan", "Randomness", "Storage", "Training",
      ], computes: true),
    suite(
      "Command", ["Checkpoints", "Configuration", "Diagnostics", "Storage", "Training"],
      resources: [
        "Beds/hosts", "Beds/hosts-shell", "Beds/hosts-switch", "Beds/slurm", "Golden",
        "instruction_counts.json",
      ]),
  ]
)
