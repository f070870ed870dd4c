/// The CPU time that the control groups around a process leave it.
package enum CPUQuota {
  /// In cores, 1.5 for example; nil: as much as there is.
  ///
  /// Groups are nested and each may have a quota, so the least counts. Source: the kernel's
  /// `Documentation/admin-guide/cgroup-v2.rst` (cpu.max) and `Documentation/scheduler/sched-bwc.rst`.
  package static func cores(reading files: SystemFiles) -> Double? {
    let groups = files.text("/proc/self/cgroup") ?? ""
    let mounts = (files.text("/proc/self/mountinfo") ?? "").split(separator: "\n")
      .compactMap { Mount($0) }
    return mounts.compactMap { mount -> Double? in
      guard let path = mount.group(in: groups) else { return nil }
      return folders(from: path, upTo: mount.folder).compactMap { folder in
        mount.isVersion2
          ? quota(files.text("\(folder)/cpu.max"))
          : quota(
            files.text("\(folder)/cpu.cfs_quota_us"), files.text("\(folder)/cpu.cfs_period_us"))
      }.min()
    }.min()
  }

  /// `150000 100000` or `max 100000`.
  private static func quota(_ text: String?) -> Double? {
    let words = text?.split(separator: " ").map(String.init) ?? []
    return words.count == 2 ? quota(words[0], words[1]) : nil
  }

  private static func quota(_ quota: String?, _ period: String?) -> Double? {
    guard let quota = quota.flatMap(Double.init), let period = period.flatMap(Double.init),
      quota > 0, period > 0
    else { return nil }
    return quota / period
  }

  private static func folders(from path: String, upTo top: String) -> [String] {
    var folders = [path]
    while let last = folders.last, last.count > top.count, let end = last.lastIndex(of: "/") {
      folders.append(String(last[..<end]))
    }
    return folders
  }
}

/// A control group hierarchy with the CPU controller, as a line of `/proc/self/mountinfo` tells it.
private struct Mount {
  let isVersion2: Bool
  /// The group that the folder shows.
  let root: String
  let folder: String

  /// `31 23 0:28 ROOT FOLDER options ... - cgroup2 source options`
  init?(_ line: Substring) {
    let words = line.split(separator: " ").map(String.init)
    guard words.count > 6, let dash = words.firstIndex(of: "-"), dash + 3 < words.count else {
      return nil
    }
    (root, folder) = (words[3], words[4])
    switch words[dash + 1] {
    case "cgroup2": isVersion2 = true
    case "cgroup" where words[dash + 3].split(separator: ",").contains("cpu"): isVersion2 = false
    default: return nil
    }
  }

  /// The folder of the process's group, from `/proc/self/cgroup`: `0::/a/b` or `4:cpu,cpuacct:/a/b`.
  func group(in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isMine = isVersion2 ? parts[0] == "0" : parts[1].split(separator: ",").contains("cpu")
      if isMine { return folder(ofGroup: String(parts[2])) }
    }
    return nil
  }

  private func folder(ofGroup path: String) -> String {
    let isBelow = root == "/" || path == root || path.hasPrefix(root + "/")
    // In a namespace of its own a process may see its group as `/../..`: all there is, is the mount.
    guard isBelow, !path.split(separator: "/").contains("..") else { return folder }
    let below = path.dropFirst(root == "/" ? 0 : root.count)
    return below == "/" ? folder : folder + below
  }
}
