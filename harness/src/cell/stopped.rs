//! Whether a cell, its parent or the whole machine was stopped during a window.
//!
//! A busy machine must not be taken for a stopped one. The main thread of a cell's process sleeps from the moment at which its
//! vCPUs are ready until it is killed; only a stop, a debugger, a freezer or a signal wakes it or changes its state. A parent
//! that wakes late either waited for a pCPU, which the kernel counts, or was stopped, which the kernel does not count.

use std::fs;
use std::io::Read;
use std::time::{Duration, Instant};

use super::process::task_file;
use crate::measure::clocks::Clocks;
use crate::system::proc;

/// How often to look whether the main thread sleeps before giving up.
const LOOKS: u32 = 2_000;
const PAUSE: Duration = Duration::from_micros(100);
/// Lateness of the parent that is always allowed, besides a quarter of the window.
const LATE: Duration = Duration::from_millis(200);

/// The main thread of a cell's process, which sleeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sleeper {
    pid: i32,
    switches: u64,
}

impl Sleeper {
    /// Waits until the main thread sleeps. None if that cannot be seen.
    pub(super) fn wait_for(pid: i32) -> Option<Self> {
        proc::is_ours().ok()?;
        for _ in 0..LOOKS {
            if state(pid)? == 'S' {
                return Some(Self { pid, switches: switches(pid)? });
            }
            std::thread::sleep(PAUSE);
        }
        None
    }

    /// Why the thread does not sleep at this moment; none if it does.
    fn disturbed(&self) -> Option<&'static str> {
        match state(self.pid)? {
            'T' => Some("the cell's process was stopped (SIGSTOP)"),
            't' => Some("the cell's process was stopped by a debugger"),
            'D' => Some("the cell's process was frozen (a control group's freezer)"),
            _ => None,
        }
    }

    /// Whether anything woke the thread since then.
    fn woken(&self) -> bool {
        switches(self.pid).is_some_and(|now| now != self.switches)
    }
}

/// A thread's state, by the letter that /proc has for it.
fn state(pid: i32) -> Option<char> {
    let text = read(pid, "stat")?;
    text.rsplit(')').next()?.trim_start().chars().next()
}

/// How often the kernel switched away from the main thread.
fn switches(pid: i32) -> Option<u64> {
    let text = read(pid, "status")?;
    let field =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    Some(field("voluntary_ctxt_switches:")? + field("nonvoluntary_ctxt_switches:")?)
}

fn read(pid: i32, name: &str) -> Option<String> {
    let mut text = String::new();
    task_file(pid, pid.cast_unsigned(), name).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

/// Readings from the opening of a window on.
pub(super) struct Stillness {
    sleeper: Option<Sleeper>,
    seen: Option<&'static str>,
    clocks: Clocks,
    /// Times of the calling thread when the window opened.
    busy: Option<Duration>,
    opened: Instant,
    late: Duration,
}

impl Stillness {
    pub(super) fn open(sleeper: Option<Sleeper>) -> Self {
        Self {
            sleeper,
            seen: None,
            clocks: Clocks::read(),
            busy: busy(),
            opened: Instant::now(),
            late: Duration::ZERO,
        }
    }

    /// Notes that the parent woke, which it was to do at `deadline`.
    pub(super) fn woke(&mut self, deadline: Instant) {
        self.late = self.late.max(deadline.elapsed());
        self.seen = self.seen.or_else(|| self.sleeper?.disturbed());
    }

    /// What was stopped since the window was opened; none if nothing was. `window` is the time between its first and last
    /// sample, `expected` the rate of the time-stamp counter where times depend on it.
    pub(super) fn close(&self, window: Duration, expected: Option<f64>) -> Option<String> {
        let clocks = Clocks::read();
        if let Some(asleep) = self.clocks.suspended(&clocks) {
            return Some(format!("the machine was suspended for {:.1} s", asleep.as_secs_f64()));
        }
        let woken = || {
            let woken = self.sleeper.is_some_and(|sleeper| sleeper.woken());
            woken.then_some("the cell's process was stopped or sent a signal")
        };
        if let Some(how) = self.seen.or_else(woken) {
            return Some(how.into());
        }
        // The parent does not wait between the samples and the readings around them, but it may be stopped there too.
        let late = self.late.max(self.opened.elapsed().saturating_sub(window));
        let accounted = self.busy.zip(busy()).map(|(before, after)| after.saturating_sub(before));
        if let Some(late) = too_late(late, accounted, window) {
            return Some(format!(
                "the window took {:.1} s longer than it was to, and not for want of a CPU: lockbench or the machine was stopped",
                late.as_secs_f64()
            ));
        }
        let astray = self.clocks.astray(&clocks, expected?)?;
        Some(format!("the time-stamp counter ran at {astray:.2} times the rate that it had at the start"))
    }
}

/// How much of the parent's lateness is not explained by running or by waiting for a pCPU, if that is too much. Where the
/// kernel does not count these, only a lateness as long as the window counts as a stop.
fn too_late(late: Duration, accounted: Option<Duration>, window: Duration) -> Option<Duration> {
    let asked = window.saturating_sub(late);
    let (allowed, left) = match accounted {
        Some(accounted) => (LATE.max(asked / 4), late.saturating_sub(accounted)),
        None => (Duration::from_secs(1).max(asked), late),
    };
    (left > allowed).then_some(left)
}

/// How long the calling thread has run, and waited for a pCPU, so far.
fn busy() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let mut fields = text.split_whitespace().map_while(|n| n.parse::<u64>().ok());
    let (ran, waited) = (fields.next()?, fields.next()?);
    (ran > 0).then(|| Duration::from_nanos(ran.saturating_add(waited)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_parent_that_waited_for_a_cpu_was_not_stopped() {
        // Of 3.2 s that were to be 0.2 s it waited for a pCPU nearly all the time.
        assert_eq!(too_late(ms(3_000), Some(ms(2_900)), ms(3_200)), None);
        assert_eq!(too_late(ms(3_000), Some(ms(20)), ms(3_200)), Some(ms(2_980)));
        assert_eq!(too_late(ms(150), Some(ms(0)), ms(350)), None, "a long tick of somebody beneath");
        assert_eq!(too_late(ms(150), None, ms(350)), None);
        assert_eq!(too_late(ms(3_000), None, ms(3_200)), Some(ms(3_000)));
    }

    #[test]
    fn a_long_window_may_be_late_by_more() {
        assert_eq!(too_late(ms(400), Some(ms(0)), ms(2_400)), None);
        assert_eq!(too_late(ms(600), Some(ms(0)), ms(2_600)), Some(ms(600)));
    }

    #[test]
    fn the_main_thread_of_a_process_is_told_by_its_state_and_its_switches() {
        if proc::is_ours().is_err() {
            return assert!(Sleeper::wait_for(1).is_none(), "nothing is known of it");
        }
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id().cast_signed();
        // Until it has become `sleep`, and that is asleep.
        let name = || fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        while name() != "sleep\n" {
            std::thread::yield_now();
        }
        std::thread::sleep(ms(50));
        let sleeper = Sleeper::wait_for(pid).unwrap();
        assert!(sleeper.disturbed().is_none() && !sleeper.woken());
        let process = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::STOP).unwrap();
        while sleeper.disturbed().is_none() {
            std::thread::yield_now();
        }
        assert!(sleeper.disturbed().unwrap().contains("SIGSTOP"));
        assert!(sleeper.woken());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
