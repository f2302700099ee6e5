//! Quotas of made-up control groups.

use super::*;

const PID: u32 = 4711;

/// A tree of files under a root.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(cgroup: &str, mountinfo: &str) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.file("proc/self/cgroup", cgroup).file("proc/self/mountinfo", mountinfo)
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A group of the unified hierarchy, which is not the machine's topmost.
    fn v2(self, dir: &str, max: &str) -> Self {
        self.file(&format!("{dir}/cgroup.procs"), "")
            .file(&format!("{dir}/cgroup.events"), "populated 1\nfrozen 0\n")
            .file(&format!("{dir}/cpu.max"), max)
    }

    fn v1(self, dir: &str, quota: &str) -> Self {
        self.file(&format!("{dir}/cgroup.procs"), "")
            .file(&format!("{dir}/cpu.cfs_quota_us"), quota)
            .file(&format!("{dir}/cpu.cfs_period_us"), "100000\n")
    }

    fn quotas(&self) -> Quotas {
        Quotas::read(self.0.path(), PID)
    }
}

const V2_MOUNT: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

#[test]
fn the_tightest_of_the_own_group_and_those_above_it_holds() {
    let tree = Tree::new("0::/user.slice/job.scope\n", V2_MOUNT)
        .file("sys/fs/cgroup/cgroup.procs", "")
        .v2("sys/fs/cgroup/user.slice", "150000 100000\n")
        .v2("sys/fs/cgroup/user.slice/job.scope", "max 100000\n");
    let quota = tree.quotas().tightest().unwrap();
    assert_eq!((quota.cpus, quota.period_ns), (1.5, 100_000_000));
    assert!(quota.source.ends_with("/sys/fs/cgroup/user.slice/cpu.max"), "{}", quota.source);
    assert!(!tree.quotas().hidden(), "the machine's topmost group is in sight");
    let tree = tree.v2("sys/fs/cgroup/user.slice/job.scope", "5000 25000\n");
    assert_eq!(tree.quotas().tightest().unwrap().cpus, 0.2);
    assert_eq!(in_words(&tree.quotas().tightest().unwrap()), "0.2 CPUs (5 ms of every 25 ms)");
}

#[test]
fn without_a_quota_there_is_none() {
    let tree = Tree::new("0::/a\n", V2_MOUNT)
        .file("sys/fs/cgroup/cgroup.procs", "")
        .v2("sys/fs/cgroup/a", "max 100000\n");
    assert_eq!((tree.quotas().tightest(), tree.quotas().counted()), (None, None));
    // Nor where the kernel has no control groups, nor where its answers make no sense.
    assert_eq!(Tree::new("", "").quotas().tightest(), None);
    let tree = tree.v2("sys/fs/cgroup/a", "20000 0\n");
    assert_eq!(tree.quotas().tightest(), None);
}

#[test]
fn the_first_interface_is_read_along_the_path() {
    let cgroup = "9:name=systemd:/\n3:cpu,cpuacct:/docker/abc\n0::/elsewhere\n";
    let mounts = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                  41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    let top = "sys/fs/cgroup/cpu,cpuacct";
    let tree = Tree::new(cgroup, mounts)
        .v1(top, "-1\n")
        .file(&format!("{top}/cgroup.sane_behavior"), "0\n")
        .v1(&format!("{top}/docker"), "20000\n")
        .v1(&format!("{top}/docker/abc"), "50000\n")
        .file(&format!("{top}/docker/cpu.stat"), "nr_periods 9\nnr_throttled 4\nthrottled_time 320000000\n")
        .v2("sys/fs/cgroup/unified/elsewhere", "1000 100000\n");
    let quotas = tree.quotas();
    assert_eq!(quotas.tightest().unwrap().cpus, 0.2);
    assert!(!quotas.hidden());
    assert_eq!(quotas.counted(), Some(Counted { periods: 4, taken_ns: 320_000_000 }));
}

#[test]
fn a_containers_own_group_is_found_and_those_above_it_are_hidden() {
    // Bind-mounted, as in containers without a cgroup namespace.
    let bound = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
    let tree = Tree::new("0::/docker/abc\n", bound)
        .v2("sys/fs/cgroup", "200000 100000\n")
        .file("sys/fs/cgroup/cpu.stat", "nr_throttled 2\nthrottled_usec 5000\n");
    assert_eq!(tree.quotas().tightest().unwrap().cpus, 2.0);
    assert!(tree.quotas().hidden());
    assert_eq!(tree.quotas().counted(), Some(Counted { periods: 2, taken_ns: 5_000_000 }));
    // In a namespace of its own it is the topmost by name, and still not the machine's.
    let tree = Tree::new("0::/\n", V2_MOUNT).v2("sys/fs/cgroup", "30000 100000\n");
    assert_eq!(tree.quotas().tightest().unwrap().cpus, 0.3);
    assert!(tree.quotas().hidden());
}

#[test]
fn a_namespace_below_the_mount_is_searched_for() {
    // `unshare -C` in /lxc/c1: the mount's top is two groups up, and nothing names what lies between.
    let mounts = "30 23 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    let tree = Tree::new("0::/inner\n", mounts)
        .file("sys/fs/cgroup/cgroup.procs", "1\n")
        .v2("sys/fs/cgroup/lxc", "max 100000\n")
        .v2("sys/fs/cgroup/lxc/c0", "1000 100000\n")
        .v2("sys/fs/cgroup/lxc/c0/inner", "max 100000\n")
        .v2("sys/fs/cgroup/lxc/c1", "40000 100000\n")
        .v2("sys/fs/cgroup/lxc/c1/inner", "max 100000\n")
        .file("sys/fs/cgroup/lxc/c1/inner/cgroup.procs", "12\n4711\n");
    assert_eq!(tree.quotas().tightest().unwrap().cpus, 0.4);
    assert!(!tree.quotas().hidden());
    // A group beside the namespace's own is named: one up, then down.
    let tree = Tree::new("0::/../beside\n", "30 23 0:26 /.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
        .file("sys/fs/cgroup/cgroup.procs", "1\n")
        .v2("sys/fs/cgroup/beside", "60000 100000\n");
    assert_eq!(tree.quotas().tightest().unwrap().cpus, 0.6);
}

#[test]
fn a_hierarchy_that_is_not_mounted_hides_everything() {
    let tree = Tree::new("0::/kubepods/pod1\n", "22 27 0:21 / /proc rw - proc proc rw\n");
    assert_eq!(tree.quotas().tightest(), None);
    assert!(tree.quotas().hidden());
}

#[test]
fn a_mount_point_with_a_blank_and_one_mounted_over_another_are_found() {
    let mounts = "30 23 0:26 / /cg\\040roups rw - cgroup2 cgroup2 rw\n31 23 0:27 /x /cg\\040roups rw - cgroup2 none rw\n";
    let tree = Tree::new("0::/x/y\n", mounts)
        .v2("cg roups", "max 100000\n")
        .v2("cg roups/x", "max 100000\n")
        .v2("cg roups/x/y", "70000 100000\n");
    assert_eq!(tree.quotas().tightest().unwrap().cpus, 0.7);
}

#[test]
fn a_quota_above_the_usable_cpus_is_no_warning() {
    let quota = CpuQuota { cpus: 4.0, period_ns: 100_000_000, source: "cpu.max".into() };
    assert_eq!(warning(&quota, 4), None);
    assert!(warning(&quota, 8).unwrap().contains("4 CPUs (400 ms of every 100 ms)"));
}
