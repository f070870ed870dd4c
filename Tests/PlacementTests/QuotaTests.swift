import Placement
import Testing

@Suite("The quota of control groups")
struct QuotaTests {
  private static let version2 =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw"
  private static let version1 = """
    31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
    32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
    34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
    41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
    """

  private func quota(
    mounts: String, groups: String, _ files: [String: String]
  ) -> Double? {
    var texts = SysTexts(cores: [[0]])
    texts["/proc/self/mountinfo"] = mounts
    texts["/proc/self/cgroup"] = groups
    for (path, text) in files { texts["/sys/fs/cgroup\(path)"] = text }
    return CPUQuota.cores(reading: texts.system)
  }

  @Test(
    "version 2: the least of the nested groups counts",
    arguments: [
      ("max 100000", "max 100000", nil), ("150000 100000", "max 100000", 1.5),
      ("400000 100000", "50000 100000", 0.5), ("50000 100000", "400000 100000", 0.5),
      (nil, "200000 50000", 4), ("broken", "0 100000", nil),
    ] as [(String?, String?, Double?)])
  func version2(inner: String?, outer: String?, cores: Double?) {
    var files: [String: String] = [:]
    files["/job/step/cpu.max"] = inner
    files["/job/cpu.max"] = outer
    #expect(quota(mounts: Self.version2, groups: "0::/job/step", files) == cores)
  }

  @Test("version 2: a container sees its own group as the top")
  func namespace() {
    let files = ["/cpu.max": "300000 100000"]
    #expect(quota(mounts: Self.version2, groups: "0::/", files) == 3)
    #expect(quota(mounts: Self.version2, groups: "0::/../../other", files) == 3)
  }

  @Test("version 1: quota and period stand in files of their own, -1 is none")
  func version1() {
    let groups = "4:cpuset:/other\n3:cpu,cpuacct:/a/b\n0::/"
    func cores(_ inner: String, _ outer: String) -> Double? {
      quota(
        mounts: Self.version1, groups: groups,
        [
          "/cpu,cpuacct/a/b/cpu.cfs_quota_us": inner,
          "/cpu,cpuacct/a/b/cpu.cfs_period_us": "100000",
          "/cpu,cpuacct/a/cpu.cfs_quota_us": outer, "/cpu,cpuacct/a/cpu.cfs_period_us": "50000",
        ])
    }
    #expect(cores("-1", "-1") == nil)
    #expect(cores("150000", "-1") == 1.5)
    #expect(cores("150000", "25000") == 0.5)
  }

  @Test("version 1: a container's mount shows a group below the top")
  func mountedGroup() {
    let mounts = """
      32 31 0:29 /docker/f00 /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
      """
    let files = [
      "/cpu/in/cpu.cfs_quota_us": "-1", "/cpu/in/cpu.cfs_period_us": "100000",
      "/cpu/cpu.cfs_quota_us": "250000", "/cpu/cpu.cfs_period_us": "100000",
    ]
    #expect(quota(mounts: mounts, groups: "3:cpu:/docker/f00/in", files) == 2.5)
    #expect(quota(mounts: mounts, groups: "3:cpu:/docker/f00", files) == 2.5)
  }

  @Test("without control groups there is no limit")
  func nothing() {
    #expect(quota(mounts: "", groups: "", [:]) == nil)
    #expect(CPUQuota.cores(reading: SystemFiles { _ in nil }) == nil)
  }
}
