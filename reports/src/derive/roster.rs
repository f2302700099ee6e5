//! The locks of a run by what their descriptors say: plain locks, cures (locks that use paravirtual code), and carriers (locks
//! that natively carry something of no use there).

use crate::record::{Admission, Carried, KernelBuild, LockDescriptor, Results};

/// A lock and the plain lock that it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The lock.
    pub lock: &'a str,
    /// The plain lock.
    pub plain: &'a str,
}

/// Plain FIFO locks: no paravirtual code, waiters that spin, and no other lock that they are variants of.
pub fn plain_fifo(results: &Results) -> impl Iterator<Item = &str> {
    let plain = |lock: &&LockDescriptor| {
        lock.order == Some(Admission::Fifo)
            && lock.paravirt == Carried::Out
            && !lock.blocks
            && lock.baseline.as_deref().is_none_or(|baseline| baseline == lock.name)
    };
    results.locks.iter().filter(plain).map(|lock| lock.name.as_str())
}

/// The user's own locks.
pub fn own(results: &Results) -> impl Iterator<Item = &str> {
    results.locks.iter().filter(|lock| lock.own).map(|lock| lock.name.as_str())
}

/// Cures with their plain locks. A cure uses paravirtual code and keeps the order of admission, except for rare overtaking. A
/// lock without an order is no cure but another lock. A cure is set against every lock that a guest would run without it.
pub fn cures(results: &Results) -> impl Iterator<Item = Pair<'_>> {
    let cures = |lock: &&LockDescriptor| {
        lock.paravirt == Carried::On && matches!(lock.order, Some(Admission::Fifo | Admission::Hybrid))
    };
    results.locks.iter().filter(cures).flat_map(|lock| pair(lock).into_iter().chain(second_pair(lock)))
}

/// Whether a lock has an order of admission, so that it is granted to a particular vCPU.
pub fn ordered(results: &Results, lock: &str) -> bool {
    results.lock(lock).is_some_and(|lock| matches!(lock.order, Some(Admission::Fifo | Admission::Hybrid)))
}

/// Locks whose waiters halt under a hypervisor: those that have a spin threshold.
pub fn halting(results: &Results) -> impl Iterator<Item = &str> {
    results.locks.iter().filter(|lock| lock.paravirt == Carried::On).map(|lock| lock.name.as_str())
}

/// The plain lock that a lock is compared with.
pub fn plain_of<'a>(results: &'a Results, lock: &str) -> Option<&'a str> {
    pair(results.lock(lock)?).map(|pair| pair.plain)
}

/// Carriers, each with its plain lock and with what it carries, in words. What boot-time patching leaves comes first, then
/// the locks whose paravirtual code is compiled in and switched off. A lock of the user's own stands beside the lock that it is
/// compared with, whatever it carries.
pub fn carriers(results: &Results) -> Vec<(Pair<'_>, &str)> {
    let carries = |lock| Some((pair(lock)?, carried(lock)?, lock.paravirt));
    let mut carriers: Vec<_> = results.locks.iter().filter_map(carries).collect();
    carriers.sort_by_key(|(.., paravirt)| match paravirt {
        Carried::Patched => 0,
        Carried::Off => 1,
        Carried::Out | Carried::On => 2,
    });
    carriers.into_iter().map(|(pair, text, _)| (pair, text)).collect()
}

/// The lock that was the spinlock of a kernel build.
pub fn of_kernel(results: &Results, build: impl Fn(&KernelBuild) -> bool) -> Option<&str> {
    let found = results.locks.iter().find(|lock| lock.kernel.as_ref().is_some_and(&build));
    found.map(|lock| lock.name.as_str())
}

/// What a lock carries, in words.
fn carried(lock: &LockDescriptor) -> Option<&str> {
    lock.carries.as_deref().or(lock.own.then_some("yours"))
}

fn pair(lock: &LockDescriptor) -> Option<Pair<'_>> {
    let plain = lock.baseline.as_deref().filter(|plain| *plain != lock.name)?;
    Some(Pair { lock: &lock.name, plain })
}

fn second_pair(lock: &LockDescriptor) -> Option<Pair<'_>> {
    lock.second_baseline.as_deref().map(|plain| Pair { lock: &lock.name, plain })
}
