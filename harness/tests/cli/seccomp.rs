//! System calls that a filter forbids, as a container's may: a sentence, never a hang.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

/// Makes a system call fail with this error in the calling process and all that it starts.
fn forbid(call: libc::c_long, error: i32) -> io::Result<()> {
    const fn filter(code: u32, skip: u8, k: u32) -> libc::sock_filter {
        libc::sock_filter { code: code as u16, jt: 0, jf: skip, k }
    }
    // The number of the call is what the kernel hands to a filter first.
    let mut program = [
        filter(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        filter(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, call as u32),
        filter(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | error.cast_unsigned()),
        filter(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the kernel copies the filter, which lives until the calls return.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn without(call: libc::c_long, error: i32, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockbench"));
    // SAFETY: the closure makes system calls alone.
    unsafe { command.pre_exec(move || forbid(call, error)) };
    command.args(args).output().unwrap()
}

fn refused(output: Output) -> String {
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{:?} {said}", output.status);
    assert!(said.starts_with("lockbench: ") && said.trim_end().lines().count() == 1, "{said}");
    said
}

/// hwloc asks the kernel again and again, each time with room for more CPUs.
#[test]
fn a_kernel_that_does_not_tell_its_cpus_does_not_hang_it() {
    for args in [&["topology"][..], &["doctor"], &["run", "--locks", "ticket", "--envs", "native"]] {
        for error in [libc::EPERM, libc::ENOSYS, libc::EINVAL] {
            let said = refused(without(libc::SYS_sched_getaffinity, error, args));
            assert!(said.contains("sched_getaffinity"), "{said}");
        }
    }
    let args = ["suite", "--plan-only", "--topology", "pack:2 core:2 pu:2"];
    let planned = without(libc::SYS_sched_getaffinity, libc::EPERM, &args);
    assert!(planned.status.success(), "another machine is planned for all the same");
}

/// If the file cannot be forced onto the disk, the run fails.
#[test]
fn rounds_and_their_directory_are_forced_onto_the_disk() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let args = ["suite", "--profile", "smoke", "--locks", "ticket", "--envs", "native", "--out", out];
    let said = refused(without(libc::SYS_fdatasync, libc::EIO, &args));
    assert!(said.contains("rounds.jsonl: the device failed"), "{said}");
    let said = refused(without(libc::SYS_fsync, libc::EIO, &args));
    assert!(said.contains(": the device failed"), "{said}");
}
