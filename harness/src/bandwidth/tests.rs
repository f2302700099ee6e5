//! Control groups in a made-up hierarchy, and in this machine's.

use super::*;

#[test]
fn the_limit_is_written_as_each_interface_wants_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let read = |file: &str| fs::read_to_string(dir.join(file)).unwrap();
    for file in ["cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.max"] {
        fs::write(dir.join(file), "").unwrap();
    }
    control::limit(dir, Version::V1, PERIOD_NS, PERIOD_NS / 2).unwrap();
    assert_eq!([read("cpu.cfs_period_us"), read("cpu.cfs_quota_us")], ["100000", "50000"]);
    fs::write(dir.join("cgroup.type"), "domain invalid\n").unwrap();
    control::limit(dir, Version::V2, PERIOD_NS, PERIOD_NS * 3 / 2).unwrap();
    assert!(read("cpu.max").starts_with("150000 100000"));
    assert!(read("cgroup.type").starts_with("threaded"), "its parent has processes");
}

#[test]
fn a_group_that_has_the_controller_is_left_as_it_is_and_one_without_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(dir.path().join(file), text).unwrap();
    let enabled = || fs::read_to_string(dir.path().join("cgroup.subtree_control")).unwrap();
    write("cgroup.controllers", "memory pids\n");
    write("cgroup.subtree_control", "");
    assert!(control::delegate(dir.path()).unwrap_err().to_string().contains("no cpu controller"));
    write("cgroup.controllers", "cpuset cpu memory\n");
    control::delegate(dir.path()).unwrap();
    assert_eq!(enabled(), "+cpu");
    write("cgroup.subtree_control", "cpu memory\n");
    control::delegate(dir.path()).unwrap();
    assert_eq!(enabled(), "cpu memory\n");
}

/// A group of the unified hierarchy below one that has processes itself, as the kernel shows it.
#[test]
fn a_group_of_version_2_is_told_its_limit_and_tells_its_counts() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let write = |file: &str, text: &str| fs::write(dir.join(file), text).unwrap();
    let read = |file: &str| fs::read_to_string(dir.join(file)).unwrap();
    write("cgroup.type", "domain invalid\n");
    write("cpu.max", "max 100000\n");
    let counts = |periods: u64, throttled: u64, usec: u64| {
        format!(
            "usage_usec 7000000\nuser_usec 6900000\nsystem_usec 100000\nnice_usec 0\ncore_sched.force_idle_usec 0\n\
             nr_periods {periods}\nnr_throttled {throttled}\nthrottled_usec {usec}\nnr_bursts 3\nburst_usec 900\n"
        )
    };
    write("cpu.stat", &counts(100, 40, 3_000_000));
    control::limit(dir, Version::V2, PERIOD_NS, PERIOD_NS / 2).unwrap();
    assert_eq!(read("cpu.max"), "50000 100000", "quota and period, in microseconds");
    assert!(read("cgroup.type").starts_with("threaded"));
    let opened = CpuStat::read(dir, Version::V2);
    write("cpu.stat", &counts(120, 59, 4_425_000));
    let counted = CpuStat::read(dir, Version::V2).since(opened);
    assert_eq!(counted, CpuStat { periods: 20, throttled: 19, taken_ns: 1_425_000_000 });
    // Without the cpu controller the kernel counts usage only.
    write("cpu.stat", "usage_usec 7000000\nuser_usec 6900000\nsystem_usec 100000\n");
    assert_eq!(CpuStat::read(dir, Version::V2), CpuStat::default());
}

/// Below a group without processes, and below the root, new groups are domains already; the kernel refuses to be told so again.
#[test]
fn a_domain_of_version_2_is_left_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cgroup.type"), "domain\n").unwrap();
    fs::write(dir.path().join("cpu.max"), "").unwrap();
    control::limit(dir.path(), Version::V2, PERIOD_NS, PERIOD_NS * 2).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("cgroup.type")).unwrap(), "domain\n");
    assert_eq!(fs::read_to_string(dir.path().join("cpu.max")).unwrap(), "200000 100000");
}

/// `cpuset` is another controller than `cpu`.
#[test]
fn a_group_with_cpusets_alone_can_have_no_limit() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cgroup.controllers"), "cpuset memory\n").unwrap();
    fs::write(dir.path().join("cgroup.subtree_control"), "cpuset\n").unwrap();
    assert!(control::delegate(dir.path()).unwrap_err().to_string().contains("no cpu controller"));
    assert_eq!(fs::read_to_string(dir.path().join("cgroup.subtree_control")).unwrap(), "cpuset\n");
}
