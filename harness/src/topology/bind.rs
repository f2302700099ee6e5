//! Binds threads, and checks what the kernel made of it.

use std::{fmt, io};

use hwlocality::{
    Topology,
    bitmap::BitmapIndex,
    cpu::{binding::CpuBindingFlags, cpuset::CpuSet},
};
use lockbench_reports::plain;

use super::{CpuList, PuIndex, pin};
use crate::Refusal;

/// The result of an attempt to bind.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "an unbound thread measures something else"]
pub enum Outcome {
    /// Bound, and the kernel confirmed it.
    Bound(Via),
    /// Binding is impossible here; nothing was changed. The text says why.
    Unsupported(String),
    /// Binding was tried and did not hold. The text says why.
    Failed(String),
}

/// How something was bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Via {
    /// hwloc.
    Hwloc,
    /// The core_affinity crate.
    CoreAffinity,
    /// The kernel's own call.
    SystemCall,
    /// No binding was needed: the machine has one NUMA node.
    OnlyNode,
}

impl Outcome {
    /// Whether it holds.
    pub fn is_bound(&self) -> bool {
        matches!(self, Self::Bound(_))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound(Via::Hwloc) => f.write_str("bound by hwloc"),
            Self::Bound(Via::CoreAffinity) => f.write_str("bound by core_affinity"),
            Self::Bound(Via::SystemCall) => f.write_str("bound by the kernel's own call"),
            Self::Bound(Via::OnlyNode) => f.write_str("bound: there is one NUMA node only"),
            Self::Unsupported(why) => write!(f, "cannot be bound: {why}"),
            Self::Failed(why) => write!(f, "not bound: {why}"),
        }
    }
}

/// Binds threads and memory on the machine that we run on.
///
/// On any other it refuses, where hwloc would accept and do nothing.
#[derive(Debug)]
pub struct Binder {
    topology: Option<&'static Topology>,
}

impl Binder {
    /// Never freed: a process needs one, and freeing takes a lock of hwloc's that a forked loader may find held.
    pub(super) fn to(this_machine: Topology) -> Self {
        Self { topology: Some(Box::leak(Box::new(this_machine))) }
    }

    pub(super) fn foreign() -> Self {
        Self { topology: None }
    }

    /// hwloc's view of this machine, or why nothing can be bound at all.
    pub(super) fn topology(&self) -> Result<&'static Topology, Outcome> {
        let why = "the topology describes another machine, not the one we run on";
        self.topology.ok_or_else(|| Outcome::Unsupported(why.to_owned()))
    }

    /// Pins a thread, of this process or another, to one CPU and reads the binding back.
    ///
    /// `tid` is the kernel's thread number. Other processes' threads can be bound with the rights to do so.
    pub fn bind_thread(&self, tid: u32, pu: PuIndex) -> Outcome {
        self.confine_thread(tid, &[pu].into_iter().collect())
    }

    /// Lets a thread float in a set of CPUs and reads the binding back.
    pub fn confine_thread(&self, tid: u32, cpus: &CpuList) -> Outcome {
        let topology = match self.topology() {
            Ok(topology) => topology,
            Err(refusal) => return refusal,
        };
        // 0 would mean the caller, whatever the caller meant.
        let Some(raw) = libc::pid_t::try_from(tid).ok().filter(|&tid| tid != 0) else {
            return Outcome::Failed(format!("there is no thread {tid}"));
        };
        // Of a failure hwloc says only the number of the kernel's error; the kernel's own call knows its kind.
        let via = if by_hwloc(topology, tid, cpus) {
            Via::Hwloc
        } else if let Err(error) = pin::set_affinity(raw, cpus) {
            let why = unbound(&error);
            return Outcome::Failed(format!("thread {tid} cannot be bound to CPU {cpus}: {why}"));
        } else {
            Via::SystemCall
        };
        match self.allowed(tid) {
            Ok(now) if now.len() == cpus.len() && now.iter().all(|pu| cpus.contains(pu)) => {
                Outcome::Bound(via)
            }
            Ok(now) => Outcome::Failed(format!("thread {tid} was bound to CPU {cpus} yet may run on {now}")),
            Err(why) => Outcome::Failed(format!(
                "thread {tid} was bound to CPU {cpus}, but that cannot be checked: {why}"
            )),
        }
    }

    /// Pins the calling thread to one CPU and checks that it runs there.
    pub fn bind_current(&self, pu: PuIndex) -> Outcome {
        match self.bind_thread(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs(), pu) {
            Outcome::Bound(via) => pin::running_on(pu, via),
            Outcome::Failed(_) => pin::pin_current(pu),
            refused => refused,
        }
    }

    /// The CPUs that a thread may run on, as the kernel has it.
    pub fn allowed(&self, tid: u32) -> Result<CpuList, Refusal> {
        let tid = libc::pid_t::try_from(tid).map_err(|_| format!("there is no thread {tid}"))?;
        Ok(pin::affinity(tid).map_err(|error| plain::words(&error))?)
    }
}

/// Why the kernel did not bind a thread.
pub(super) fn unbound(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EINVAL) => "it is offline, or not allowed to this process".into(),
        _ => plain::words(error),
    }
}

/// Whether hwloc bound it.
fn by_hwloc(topology: &Topology, tid: u32, list: &CpuList) -> bool {
    let support = topology.feature_support().cpu_binding();
    if !support.is_some_and(|support| support.set_process()) {
        return false;
    }
    let bits: Result<Vec<_>, _> = list.iter().map(|pu| BitmapIndex::try_from(pu.0 as usize)).collect();
    let Ok(bits) = bits else { return false };
    // With this flag hwloc takes a thread's number where it else takes a process's (Linux only).
    let thread = CpuBindingFlags::THREAD;
    topology.bind_process_cpu(tid, &CpuSet::from_iter(bits), thread).is_ok()
}
