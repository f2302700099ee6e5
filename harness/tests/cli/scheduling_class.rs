//! Started with another scheduling class than SCHED_OTHER, the program measures in SCHED_OTHER all the same, and says so.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use std::time::Duration;

/// Runs one short cell from a process that does `first` before it becomes the program.
fn run_after(first: impl FnMut() -> io::Result<()> + Send + Sync + 'static) -> io::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockbench"));
    command.args(["run", "--json", "--locks", "ticket", "--envs", "native", "--vcpus", "1", "--rounds", "1"]);
    // SAFETY: `first` makes system calls only, which may be made between fork and exec.
    unsafe { command.pre_exec(first) };
    // Generous, for a busy machine: what it guards against lasts for ever.
    assert_cmd::Command::from_std(command).timeout(Duration::from_secs(120)).output()
}

/// Gives the calling thread a scheduling class.
fn become_class(class: i32, priority: i32) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: the kernel reads the one structure that it is given.
    match unsafe { libc::sched_setscheduler(0, class, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn measures_as(class: i32, priority: i32, name: &str) -> io::Result<()> {
    let output = run_after(move || become_class(class, priority))?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{name}: {said}");
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results["machine"]["scheduling"]["class"], name);
    let warnings = results["machine"]["warnings"].to_string();
    assert!(warnings.contains(name) && warnings.contains("SCHED_OTHER"), "{warnings}");
    assert_eq!(results["cells"][0]["status"], "ok", "{name}: {}", results["cells"][0]);
    Ok(())
}

#[test]
fn started_as_a_batch_job_it_measures_as_any_other() {
    // Everybody may choose this scheduling class, so the test always tests something.
    measures_as(libc::SCHED_BATCH, 0, "SCHED_BATCH").unwrap();
}

#[test]
fn started_as_real_time_it_does_not_hang() {
    for (class, name) in [(libc::SCHED_FIFO, "SCHED_FIFO"), (libc::SCHED_RR, "SCHED_RR")] {
        match measures_as(class, 1, name) {
            Ok(()) => {}
            Err(e) if !capable_of_nice() => eprintln!("{name} was not tried: {e}, for want of CAP_SYS_NICE"),
            Err(e) => panic!("{name} could not be tried though CAP_SYS_NICE is there: {e}"),
        }
    }
}

#[test]
fn started_as_idle_it_measures_as_any_other_or_says_that_it_may_not() {
    if capable_of_nice() {
        measures_as(libc::SCHED_IDLE, 0, "SCHED_IDLE").unwrap();
    }
    // Everybody may become idle; without the capability and without a limit that allows it nobody returns.
    let output = run_after(|| {
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: numbers, and a structure that the kernel reads. The first call fails where there is nothing to drop.
        unsafe {
            libc::prctl(libc::PR_CAPBSET_DROP, CAP_SYS_NICE, 0, 0, 0);
            libc::setrlimit(libc::RLIMIT_NICE, &raw const none);
        }
        become_class(libc::SCHED_IDLE, 0)
    });
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("SCHED_IDLE") && said.contains("without chrt"), "{said}");
}

const CAP_SYS_NICE: u32 = 23;

/// Whether this process may choose any scheduling class: CAP_SYS_NICE.
fn capable_of_nice() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(effective.trim(), 16).unwrap() >> CAP_SYS_NICE & 1 == 1
}
