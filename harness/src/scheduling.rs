//! The kernel's scheduling class that everything is measured in: SCHED_OTHER, whatever the program was started with.
//!
//! A real-time thread keeps its pCPU until it gives it up, so that two of them on one pCPU do not preempt each other: nothing
//! is overcommitted then, and a self-test that waits for its competitor waits for ever. SCHED_BATCH and SCHED_IDLE change when
//! a woken thread runs. Threads and processes inherit the scheduling class, so it is set before any are started.

use std::io;

use lockbench_reports::record::Scheduling;
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::Refusal;
use crate::refusal::words;

/// `SCHED_EXT`, of Linux 6.12.
const SCHED_EXT: i32 = 7;

/// Sets the calling thread to SCHED_OTHER, and with it all that it starts from now on. Says how it was started: none where
/// that was SCHED_OTHER with a nice value of 0. Call before the first thread is started.
pub(crate) fn settle() -> Result<Option<Scheduling>, Refusal> {
    let started = policy().map_err(|e| Refusal::of("the kernel tells no scheduling class", e))?;
    // The scheduling class comes with a flag that children start as SCHED_OTHER, which only the privileged may drop.
    let (class, flag) = (started & !libc::SCHED_RESET_ON_FORK, started & libc::SCHED_RESET_ON_FORK);
    if class != libc::SCHED_OTHER {
        set(libc::SCHED_OTHER | flag).map_err(|e| {
            Refusal::from(format!(
                "lockbench was started with {}, in which it cannot measure, and the kernel does not let it return to SCHED_OTHER \
                 ({}); start it without chrt",
                name(class),
                words(&e)
            ))
        })?;
    }
    let nice = rustix::process::getpriority_process(None).unwrap_or(0);
    Ok((class != libc::SCHED_OTHER || nice != 0).then(|| Scheduling { class: name(class), nice }))
}

/// Warnings for readers of the run.
pub(crate) fn warnings(started: &Scheduling) -> Vec<String> {
    let mut warnings = Vec::new();
    if started.class != name(libc::SCHED_OTHER) {
        warnings.push(format!(
            "The program was started with {}; all was measured with SCHED_OTHER, as without it.",
            started.class
        ));
    }
    if started.nice != 0 {
        warnings.push(format!(
            "The program was started with a nice value of {}: whatever else ran got {} of a pCPU than the vCPUs; start it \
             without nice.",
            started.nice,
            if started.nice > 0 { "more" } else { "less" }
        ));
    }
    warnings
}

/// The calling thread's scheduling class, with the flag.
fn policy() -> io::Result<i32> {
    // SAFETY: takes a number and answers one; 0 is the calling thread.
    let policy = unsafe { libc::sched_getscheduler(0) };
    if policy < 0 { Err(io::Error::last_os_error()) } else { Ok(policy) }
}

/// Gives the calling thread a real-time priority: it runs before every thread of SCHED_OTHER. Only for the emulated hypervisor's
/// threads, which hardly run at all; a child of theirs would be SCHED_OTHER again.
pub(crate) fn prefer_this_thread() -> io::Result<()> {
    set(libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK)
}

/// Time that the calling thread has run, in nanoseconds.
pub(crate) fn own_time_ns() -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    tv_sec.cast_unsigned() * 1_000_000_000 + tv_nsec.cast_unsigned()
}

fn set(policy: i32) -> io::Result<()> {
    let real_time = policy & !libc::SCHED_RESET_ON_FORK == libc::SCHED_FIFO;
    let parameters = libc::sched_param { sched_priority: i32::from(real_time) };
    // SAFETY: the kernel reads the one structure that it is given; 0 is the calling thread.
    let answer = unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
    match answer {
        0 if policy == self::policy()? => Ok(()),
        0 => Err(io::Error::other("it did not change")),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The name of a scheduling class in sched(7).
pub(crate) fn name(class: i32) -> String {
    match class {
        libc::SCHED_OTHER => "SCHED_OTHER".into(),
        libc::SCHED_FIFO => "SCHED_FIFO".into(),
        libc::SCHED_RR => "SCHED_RR".into(),
        libc::SCHED_BATCH => "SCHED_BATCH".into(),
        libc::SCHED_IDLE => "SCHED_IDLE".into(),
        libc::SCHED_DEADLINE => "SCHED_DEADLINE".into(),
        SCHED_EXT => "SCHED_EXT".into(),
        other => format!("scheduling class {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_of_another_class_is_set_back_and_says_what_it_was() {
        // In a thread of its own, because each thread has its scheduling class; everybody may choose SCHED_BATCH.
        let settled = std::thread::spawn(|| {
            set(libc::SCHED_BATCH).unwrap();
            (settle(), policy(), settle())
        });
        let (first, now, again) = settled.join().unwrap();
        assert_eq!(first.unwrap().unwrap().class, "SCHED_BATCH");
        assert_eq!(now.unwrap() & !libc::SCHED_RESET_ON_FORK, libc::SCHED_OTHER);
        assert!(again.unwrap().is_none_or(|started| started.class == "SCHED_OTHER"));
    }

    #[test]
    fn a_nice_value_is_warned_of() {
        let started = Scheduling { class: "SCHED_OTHER".into(), nice: 10 };
        let warnings = warnings(&started);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("nice value of 10"), "{warnings:?}");
    }
}
