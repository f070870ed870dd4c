import Diagnostics
import Foundation

/// Where configurations are looked for: as named, then in the folders of shipped ones.
package struct ConfigurationSearch: Sendable {
  package var workingDirectory: String
  /// Folders with configurations: `configs` here, beside the package, and in the install prefix.
  package var folders: [String]
  package var home: String?

  package init(workingDirectory: String, folders: [String], home: String? = nil) {
    self.workingDirectory = workingDirectory
    self.folders = folders
    self.home = home
  }

  /// The search from where this process stands.
  package static func current() -> ConfigurationSearch {
    let working = FileManager.default.currentDirectoryPath
    let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return ConfigurationSearch(
      workingDirectory: working,
      folders: ["configs"] + (executable.map(foldersBeside) ?? []),
      home: ProcessInfo.processInfo.environment["HOME"])
  }

  /// The `configs` folder of the package that built `executable`, and the one installed with it.
  package static func foldersBeside(_ executable: String) -> [String] {
    let steps = executable.split(separator: "/").dropLast()
    let ancestors = (0...steps.count).reversed().map {
      "/" + steps.prefix($0).joined(separator: "/")
    }
    let package = ancestors.first { FileManager.default.fileExists(atPath: "\($0)/Package.swift") }
    let prefix = absolutePath("..", in: ancestors[0])
    return (package.map { ["\($0)/configs"] } ?? []) + ["\(prefix)/share/ddp-train/configs"]
  }

  /// The path of the configuration that `name` means, as it is shown to the user.
  ///
  /// - Throws: A `Diagnostic` that lists the places tried.
  package func find(_ name: String) throws -> String {
    let candidates = candidates(for: name)
    if let found = candidates.first(where: isFile) { return found }
    let names = folders.flatMap(configurations)
    let stem = name.split(separator: "/").last.map(String.init) ?? name
    let nearest = nearestName(to: ConfigurationSearch.withoutExtension(stem), among: names)
    let known = Set(names).sorted().joined(separator: ", ")
    let paths = candidates.joined(separator: "\n            ")
    throw Diagnostic(
      place: "command line: \(name)", problem: "there is no such configuration",
      expected: "one of these files:\n            \(paths)",
      remedy: nearest.map { "write \($0)" }
        ?? (known.isEmpty
          ? "give the path of a YAML file" : "give the path of a YAML file, or one of \(known)"))
  }

  func absolute(_ path: String) -> String { absolutePath(path, in: workingDirectory) }

  static func withoutExtension(_ name: String) -> String {
    for suffix in [".yaml", ".yml"] where name.hasSuffix(suffix) {
      return String(name.dropLast(suffix.count))
    }
    return name
  }

  private func candidates(for name: String) -> [String] {
    let name = name.hasPrefix("~/") ? (home ?? "~") + name.dropFirst() : name
    let hasExtension = ConfigurationSearch.withoutExtension(name) != name
    let spellings = hasExtension ? [name] : [name, "\(name).yaml", "\(name).yml"]
    guard !name.contains("/") else { return spellings }
    let shipped = hasExtension ? spellings : Array(spellings.dropFirst())
    var seen: Set<String> = []
    return (spellings + folders.flatMap { folder in shipped.map { "\(folder)/\($0)" } })
      .filter { seen.insert(absolute($0)).inserted }
  }

  private func isFile(_ path: String) -> Bool {
    let path = absolute(path)
    let isFolder = (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil
    return !isFolder && FileManager.default.fileExists(atPath: path)
  }

  private func configurations(in folder: String) -> [String] {
    let files = try? FileManager.default.contentsOfDirectory(atPath: absolute(folder))
    return (files ?? []).filter { ConfigurationSearch.withoutExtension($0) != $0 }
      .map(ConfigurationSearch.withoutExtension)
  }
}
