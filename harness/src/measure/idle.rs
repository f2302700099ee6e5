//! Time for which CPUs had nothing to run.
//!
//! However busy the machine is, a CPU does not idle while a runnable thread is pinned to it, unless the thread is throttled, by
//! a CPU quota for example. So idle time distinguishes a hidden quota from competition.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

/// A difference of fewer ticks may come from the resolution of a tick at the two readings.
const FEWEST: u64 = 3;

/// Idle ticks of each of these CPUs so far; none where the kernel does not tell of this machine's CPUs.
pub fn ticks(pcpus: &[u32]) -> Option<Vec<u64>> {
    if is_made_up() {
        return None;
    }
    of_each(&fs::read_to_string("/proc/stat").ok()?, pcpus)
}

/// How long each CPU has idled since `before`; none for a CPU that has not, within the resolution of the ticks.
pub fn since(before: Option<&[u64]>, pcpus: &[u32]) -> Option<Vec<Option<Duration>>> {
    let after = ticks(pcpus)?;
    let gained = before?.iter().zip(after).map(|(before, after)| after.saturating_sub(*before));
    Some(gained.map(|ticks| (ticks >= FEWEST).then(|| Duration::from_secs(ticks) / per_second())).collect())
}

/// Idle and waiting for a device, of lines such as `cpu0 user nice system idle iowait …`.
fn of_each(stat: &str, pcpus: &[u32]) -> Option<Vec<u64>> {
    let of = |pcpu: &u32| {
        let name = format!("cpu{pcpu}");
        let mut words = stat.lines().map(str::split_whitespace);
        let mut fields = words.find_map(|mut line| (line.next()? == name).then_some(line))?.skip(3);
        let (idle, waiting): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(idle.saturating_add(waiting))
    };
    pcpus.iter().map(of).collect()
}

/// Whether another file replaces /proc/stat: lxcfs shows a container as a machine of its own, whose CPUs seem idle while
/// others use them.
fn is_made_up() -> bool {
    static MADE_UP: OnceLock<bool> = OnceLock::new();
    *MADE_UP.get_or_init(|| {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        mounts.lines().any(|line| line.split(' ').nth(4) == Some("/proc/stat"))
    })
}

fn per_second() -> u32 {
    // SAFETY: takes a number and answers one.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u32::try_from(ticks).ok().filter(|ticks| *ticks > 0).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_is_the_fourth_and_fifth_of_a_cpus_own_line() {
        let stat =
            "cpu 9 9 9 9 9 9\ncpu0 1 2 3 40 5 6 7\ncpu1 1 2 3 50 0 6 7\ncpu10 1 2 3 60 1 6 7\nintr 5\n";
        assert_eq!(of_each(stat, &[10, 0, 1]), Some(vec![61, 45, 50]));
        assert_eq!(of_each(stat, &[0, 2]), None, "a CPU that has no line");
    }

    #[test]
    fn a_tick_or_two_are_not_idle() {
        let Some(now) = ticks(&[0]) else { return assert!(is_made_up(), "no line of CPU 0") };
        assert_eq!(since(None, &[0]), None);
        assert_eq!(since(Some(&[u64::MAX]), &[0]), Some(vec![None]));
        let long_ago = now[0].saturating_sub(u64::from(per_second()));
        let idle = since(Some(&[long_ago]), &[0]).unwrap()[0];
        assert!(now[0] < 100 || idle.is_some_and(|idle| idle >= Duration::from_secs(1)), "{idle:?}");
    }
}
