import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A folder of the file system, which may or may not exist.
package struct Folder: Equatable, Sendable {
  package let path: String

  package init(_ path: String) {
    self.path = path.isEmpty ? "." : path
  }

  /// The folder in which the file at `path` lies.
  package init(containing path: String) {
    guard let slash = path.lastIndex(of: "/") else {
      self.init(".")
      return
    }
    self.init(slash == path.startIndex ? "/" : String(path[..<slash]))
  }

  /// `name` inside this folder.
  package func path(to name: String) -> String {
    path == "." ? name : path == "/" ? "/\(name)" : "\(path)/\(name)"
  }

  package static func lastComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// Whether a folder is there, or a link to one.
  package var exists: Bool { FileKind.of(path, followingLinks: true) == .folder }

  /// Whether anything is there under `name`.
  package func contains(_ name: String) -> Bool { FileKind.of(path(to: name)) != nil }

  /// Creates the folder and those above it that are missing.
  package func create() throws {
    if exists { return }
    let above = Folder(containing: path)
    if above.path != path && !above.exists { try above.create() }
    // SAFETY: the path is a terminated text.
    guard unsafe mkdir(path, 0o777) == 0 || (errno == EEXIST && exists) else {
      throw FileFault.folder(path, cannotBe: "created", code: errno)
    }
  }

  /// Names of the files and folders directly inside, sorted.
  package func entries() throws -> [String] {
    // SAFETY: the path is a terminated text; the stream is closed once, below.
    guard let stream = unsafe opendir(path) else {
      throw FileFault.folder(path, cannotBe: "read", code: errno)
    }
    defer { unsafe _ = closedir(stream) }
    var names: [String] = []
    let nameOffset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 0
    // SAFETY: an entry is valid until the next readdir; its name is terminated.
    while let entry = unsafe readdir(stream) {
      let start = unsafe UnsafeRawPointer(entry) + nameOffset
      let name = unsafe String(cString: start.assumingMemoryBound(to: CChar.self))
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Removes the folder and everything in it; links in it are removed, not followed. Where no folder
  /// is, nothing is done.
  package func remove() throws {
    guard FileKind.of(path) == .folder else { return }
    for name in try entries() { try removeEntry(name) }
    // SAFETY: the path is a terminated text.
    guard unsafe rmdir(path) == 0 || errno == ENOENT else {
      throw FileFault.folder(path, cannotBe: "removed", code: errno)
    }
  }

  /// Removes the file, link or folder called `name` in this folder.
  package func removeEntry(_ name: String) throws {
    let entry = path(to: name)
    if FileKind.of(entry) == .folder { return try Folder(entry).remove() }
    // SAFETY: the path is a terminated text.
    guard unsafe unlink(entry) == 0 || errno == ENOENT else {
      throw FileFault.file(entry, cannotBe: "removed", code: errno)
    }
  }

  /// Waits until the disk knows which names this folder holds.
  package func sync() throws {
    // SAFETY: the path is a terminated text.
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFault.folder(path, cannotBe: "opened", code: errno) }
    defer { close(descriptor) }
    // Some network file systems cannot sync a folder and say EINVAL; their names are durable anyway.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw FileFault.folder(path, cannotBe: "written", code: errno)
    }
  }

  /// Bytes that this user may still write on the folder's disk.
  package var freeByteCount: Int? {
    var status = statvfs()
    // SAFETY: the path is a terminated text; status is a valid place for the answer.
    guard unsafe statvfs(path, &status) == 0 else { return nil }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}

/// What lies under a path.
enum FileKind {
  case file, folder, link

  static func of(_ path: String, followingLinks: Bool = false) -> FileKind? {
    var status = stat()
    // SAFETY: the path is a terminated text; status is a valid place for the answer.
    let code = unsafe followingLinks ? stat(path, &status) : lstat(path, &status)
    guard code == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: return .folder
    case S_IFLNK: return .link
    default: return .file
    }
  }
}
