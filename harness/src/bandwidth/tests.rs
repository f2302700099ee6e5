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
