import Configuration
import Foundation
import Testing

@Suite("finding a configuration")
struct ConfigurationSearchTests {
  /// A working directory with `configs/` and one file of its own, removed at the end.
  private func inFolder(_ body: (ConfigurationSearch) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "find-\(UUID().uuidString)")
    let configs = folder.appending(path: "configs")
    try FileManager.default.createDirectory(at: configs, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in ["configs/fashion-mnist.yaml", "configs/moons.yml", "mine.yaml", "shown.txt"] {
      try Data(smallest.utf8).write(to: folder.appending(path: name))
    }
    try body(ConfigurationSearch(workingDirectory: folder.path(), folders: ["configs"]))
  }

  @Test(
    "a name is a path, a path without its extension, or the name of a shipped one",
    arguments: [
      ("mine.yaml", "mine.yaml"), ("mine", "mine.yaml"), ("./mine", "./mine.yaml"),
      ("configs/moons", "configs/moons.yml"), ("shown.txt", "shown.txt"),
      ("fashion-mnist", "configs/fashion-mnist.yaml"), ("moons", "configs/moons.yml"),
      ("fashion-mnist.yaml", "configs/fashion-mnist.yaml"),
    ])
  func found(name: String, path: String) throws {
    try inFolder { search in
      let found = try search.find(name)
      #expect(found == path)
    }
  }

  @Test("the run is named after the file, and places show its path")
  func loaded() throws {
    try inFolder { search in
      let configuration = try RunConfiguration.load(
        "fashion-mnist", overrides: ["seed=3"], search: search)
      #expect(configuration.spec.name == "fashion-mnist")
      #expect(configuration.spec.seed == 3)
      #expect(configuration.file == "configs/fashion-mnist.yaml")
      #expect(configuration.spec.model.layers[0].place == "configs/fashion-mnist.yaml:5:7")
    }
  }

  @Test("a name that is nowhere: the places tried and the nearest one")
  func missing() throws {
    try inFolder { search in
      let shown = message { try search.find("fasion-mnist") }
      #expect(
        shown == """
          command line: fasion-mnist: there is no such configuration
            expected: one of these files:
                      fasion-mnist
                      fasion-mnist.yaml
                      fasion-mnist.yml
                      configs/fasion-mnist.yaml
                      configs/fasion-mnist.yml
            to fix:   write fashion-mnist
          """)
      let other = message { try search.find("runs/x.yaml") }
      #expect(
        other == """
          command line: runs/x.yaml: there is no such configuration
            expected: one of these files:
                      runs/x.yaml
            to fix:   give the path of a YAML file, or one of fashion-mnist, moons
          """)
    }
  }

  @Test("shipped configurations lie beside the package, and where the program is installed")
  func folders() throws {
    #expect(
      ConfigurationSearch.foldersBeside("/usr/local/bin/ddp-train")
        == ["/usr/local/share/ddp-train/configs"])
    let package = FileManager.default.temporaryDirectory.path() + "/package-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: package, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: package) }
    try Data().write(to: URL(filePath: "\(package)/Package.swift"))
    let found = ConfigurationSearch.foldersBeside("\(package)/.build/release/ddp-train")
    #expect(
      found.map { $0.replacing("//", with: "/") }.first
        == "\(package)/configs".replacing("//", with: "/"))
  }

  @Test("a file that is no text")
  func binary() throws {
    try inFolder { search in
      let path = search.workingDirectory + "/mine.yaml"
      try Data([0xFF, 0xFE, 0x00]).write(to: URL(filePath: path))
      let shown = message { try RunConfiguration.load("mine", search: search) }
      #expect(
        shown == """
          mine.yaml: the configuration is not UTF-8 text
            expected: YAML in UTF-8
            to fix:   save it again as UTF-8
          """)
    }
  }

  @Test("a name with odd characters becomes a name for the run")
  func oddNames() throws {
    let spec = try RunConfiguration(
      reading: smallest, file: "my runs/.first try (2).yaml", search: search
    ).spec
    #expect(spec.name == "first-try--2-")
    #expect(spec.outputFolder == "runs/first-try--2-")
  }

  private func message(_ body: () throws -> Any) -> String {
    do {
      _ = try body()
      return ""
    } catch { return "\(error)" }
  }
}
