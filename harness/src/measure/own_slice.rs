//! A timeslice that a thread asks for itself. Since Linux 6.12 the kernel's EEVDF scheduler lets each thread set one.

use std::io;

use lockbench_reports::plain;

use crate::Refusal;

/// Shortest and longest timeslice that the kernel takes, in nanoseconds. Beyond them it would silently give the nearer of the two.
pub const RANGE_NS: std::ops::RangeInclusive<u64> = 100_000..=100_000_000;

/// Asks for a timeslice for thread `tid`, and reads back whether it was set. The timeslices that the thread then gets may
/// differ: the kernel preempts at its ticks, unless it has high-resolution ones.
pub fn ask(tid: u32, slice_ns: u64) -> Result<(), Refusal> {
    let told = |what: &str, e: io::Error| {
        Refusal::from(format!("the kernel did not {what} the timeslice of a thread: {}", plain::words(&e)))
    };
    let mut attributes = get(tid).map_err(|e| told("tell", e))?;
    attributes.sched_runtime = slice_ns;
    // SAFETY: the kernel reads `size` bytes, which is the size of the structure.
    let answer = unsafe { libc::syscall(libc::SYS_sched_setattr, tid, &raw const attributes, 0) };
    if answer != 0 {
        return Err(told("set", io::Error::last_os_error()));
    }
    match get(tid).map_err(|e| told("tell", e))?.sched_runtime {
        given if given == slice_ns => Ok(()),
        0 => Err("a thread cannot set its own timeslice here: Linux 6.12 or newer can".into()),
        given => {
            Err(format!("a timeslice of {slice_ns} ns was asked for and the kernel gave {given} ns").into())
        }
    }
}

fn get(tid: u32) -> io::Result<libc::sched_attr> {
    // SAFETY: integers, of which zeros are valid.
    let mut attributes: libc::sched_attr = unsafe { std::mem::zeroed() };
    let size = size_of_val(&attributes) as u32;
    attributes.size = size;
    // SAFETY: the kernel writes at most `size` bytes, which is the size of the structure.
    let answer = unsafe { libc::syscall(libc::SYS_sched_getattr, tid, &raw mut attributes, size, 0) };
    // Only the timeslice is to change.
    attributes.sched_flags = 0;
    if answer == 0 { Ok(attributes) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_given_or_refused_with_a_sentence() {
        let tried = std::thread::spawn(|| {
            let tid = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
            (ask(tid, 8_000_000), get(tid))
        });
        match tried.join().unwrap() {
            (Ok(()), Ok(attributes)) => assert_eq!(attributes.sched_runtime, 8_000_000),
            (Err(refusal), _) => assert!(refusal.reason.contains("timeslice"), "{refusal}"),
            (Ok(()), Err(e)) => panic!("it was set and cannot be read: {e}"),
        }
    }
}
