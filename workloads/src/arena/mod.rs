//! The arena: one shared mapping that holds a cell's lock, the data it protects and a block per vCPU.
//!
//! `repr(C)`, reached at the same address by the cell's threads and its virtual machine, at another by the parent that
//! samples it; so it holds offsets, never pointers to itself, but for what the cell's own process fills in. Every
//! field has one writer, and all that changes while workers run is atomic.

mod layout;

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64};

use lockbench_locks::{Event, Params};

use crate::lock_time::LockTime;
use crate::probe::Phase;
use crate::ring::{Ring, Worst};
use crate::traced::{Octaves, Traced};
pub use layout::{Detail, Extent, Layout};

/// Entries of the think-time table.
pub const THINK_ENTRIES: usize = 256;
/// Distance of two cache lines in [`Plan::lines`]' region.
pub const LINE: usize = 64;

/// First bytes of an arena, so that a stranger's file descriptor is refused.
pub const MAGIC: u64 = u64::from_le_bytes(*b"lockbnc1");

/// Head of the arena.
#[repr(C, align(4096))]
pub struct Header {
    /// Written by the parent before the cell's process starts.
    pub plan: Plan,
    /// Opened by the parent.
    pub gate: Gate,
    /// What the lock protects.
    pub data: Data,
    /// What the lock's time goes into; kept by its holders where they trace.
    pub time: LockTime,
    /// Which handover was the worst; likewise.
    pub worst: Worst,
}

/// What the workers are to do; constant while they run. On pages of its own, which a cell's process makes read-only once
/// it has mapped them: a lock that stores where it should not faults instead of changing the plan.
#[derive(Clone, Debug)]
#[repr(C, align(4096))]
pub struct Plan {
    /// [`MAGIC`].
    pub magic: u64,
    /// Where everything lies.
    pub layout: Layout,
    /// The lock's parameters, with the number of vCPUs.
    pub params: Params,
    /// Steps of [`burn`](crate::work::burn) in the section.
    pub section_work: u32,
    /// Nominal length of that, in ticks.
    pub section_ticks: u64,
    /// Time between two looks at the probe beyond which a tracing vCPU was away, whatever the probe says, in ticks.
    pub gap_ticks: u64,
    /// Shared cache lines written in the section.
    pub lines: u32,
    /// Whether vCPU 0 takes the lock first and holds it until [`Gate::hold`] falls.
    pub start_queued: bool,
    /// Whether there is think time at all.
    pub thinks: bool,
    /// Whether turns begin when they are due rather than some time after the last one: `think` then holds the times from
    /// one to the next, in ticks.
    pub open: bool,
    /// What the vCPUs' random draws begin from, besides each vCPU's number.
    pub draws: u64,
    /// Think times in steps of work, drawn from uniformly: `core` has no logarithm, so the quantiles come as data.
    pub think: [u32; THINK_ENTRIES],
}

/// Words that the parent writes and the vCPUs wait on.
#[repr(C, align(128))]
pub struct Gate {
    /// Futex word that vCPU 0 waits on until it is 1.
    pub go_first: AtomicU32,
    /// Futex word that the others wait on until it is 1.
    pub go_rest: AtomicU32,
    /// While 1, a vCPU 0 that started by holding the lock keeps it.
    pub hold: AtomicU32,
    /// How many vCPUs wait at the gate; counted by the vCPUs' host threads.
    pub ready: AtomicU32,
}

/// What the lock protects, on lines of its own. Only ever touched inside the section, so relaxed everywhere.
#[repr(C, align(128))]
pub struct Data {
    /// Turns taken. A plain load and a plain store: two vCPUs inside at once lose an update.
    pub counter: AtomicU64,
    /// Number of the vCPU inside.
    pub owner: AtomicU32,
    /// What `counter` was when the owner's present run of turns began.
    pub run_began: AtomicU64,
}

/// Halts vCPU `me` until it is kicked. Leaf code where the vCPU is a real one.
pub type HaltFn = unsafe extern "C" fn(arena: *const Header, me: u32);
/// Kicks vCPU `cpu`.
pub type KickFn = unsafe extern "C" fn(arena: *const Header, cpu: u32);

/// A vCPU's block.
#[repr(C, align(4096))]
pub struct Block {
    /// Filled by the environment before the gate opens, constant from then on.
    pub env: EnvBlock,
    /// The vCPU's doorbell: 1 is a kick not yet taken. Written by kickers and by the vCPU's own halt.
    pub word: Doorbell,
    /// Written by the worker.
    pub own: OwnBlock,
    /// The hypervisor's steal-time record, written by KVM.
    pub steal: Steal,
}

/// A vCPU's place in its environment.
#[repr(C)]
pub struct EnvBlock {
    /// Halts this vCPU.
    pub halt: UnsafeCell<Option<HaltFn>>,
    /// Kicks another.
    pub kick: UnsafeCell<Option<KickFn>>,
    /// A word that the kernel or hypervisor changes when it takes the pCPU away; null where nobody counts.
    pub probe: AtomicPtr<u64>,
    /// What the probe reads while the vCPU runs undisturbed.
    pub expected: AtomicU64,
    /// What to store into the probe after it changed; 0 where the new value is simply what to expect next.
    pub rearm: AtomicU64,
    /// A byte that is not 0 while the vCPU is off its pCPU; null where the host gives no such hint.
    pub preempted: AtomicPtr<u8>,
    /// NUMA node of its pCPU.
    pub node: AtomicU32,
    /// Kernel thread id of the thread that is or runs this vCPU.
    pub tid: AtomicU32,
}

// SAFETY: `halt` and `kick` are written once, by the thread that starts the vCPU, before it counts itself ready; they
// are read by that vCPU only, after the gate opened. The rest is atomic.
unsafe impl Sync for EnvBlock {}

/// A word on lines of its own.
#[repr(C, align(128))]
pub struct Doorbell(pub AtomicU32);

/// KVM's `struct kvm_steal_time` (Linux `arch/x86/include/uapi/asm/kvm_para.h`): 64 bytes, 64-byte aligned.
#[repr(C, align(64))]
pub struct Steal {
    /// Nanoseconds that the vCPU was runnable and not running.
    pub steal_ns: AtomicU64,
    /// Odd while the host updates the record.
    pub version: AtomicU32,
    /// Unused.
    pub flags: AtomicU32,
    /// Byte 0 is not 0 while the vCPU is preempted, on hosts that keep it.
    pub preempted: AtomicU32,
    /// Unused.
    pub pad: [u32; 11],
}

/// What a worker writes about itself. Single writer, so plain load-add-store on atomics.
#[repr(C, align(128))]
pub struct OwnBlock {
    /// Turns taken, counted inside the section.
    pub operations: AtomicU64,
    /// Times that another vCPU's number stood in `owner` at the end of the section.
    pub violations: AtomicU64,
    /// Most turns in a row of any run that this vCPU ended; the parent sets it to 0 when the window opens (a reset lost to a race merely restates a run
    /// that ended at that moment).
    pub longest_run: AtomicU64,
    /// Preemptions by phase.
    pub preempted: [AtomicU64; Phase::COUNT],
    /// The lock's events.
    pub events: [AtomicU64; Event::COUNT],
    /// 1 once the worker is in its loop (for a vCPU 0 that starts by holding the lock: once it holds it).
    pub entered: AtomicU32,
    /// Where busy work leaves its result.
    pub sink: AtomicU64,
}

impl Header {
    /// The block of vCPU `cpu`.
    ///
    /// # Safety
    ///
    /// `self` must head an arena laid out as `self.plan.layout` says, mapped whole, and `cpu` must be below
    /// `self.plan.params.vcpus`.
    #[inline(always)]
    pub unsafe fn block(&self, cpu: usize) -> &Block {
        // SAFETY: as the caller vouches.
        unsafe { self.plan.layout.block(self, cpu) }
    }

    /// What vCPU `cpu` writes about its times; none where the arena has no room for it.
    ///
    /// # Safety
    ///
    /// As for [`Header::block`].
    #[inline(always)]
    pub unsafe fn traced(&self, cpu: usize) -> Option<&Traced> {
        // SAFETY: as the caller vouches.
        unsafe { self.plan.layout.traced(self, cpu) }
    }

    /// vCPU `cpu`'s ring of events; none where the arena has no room for it.
    ///
    /// # Safety
    ///
    /// As for [`Header::block`].
    #[inline(always)]
    pub unsafe fn ring(&self, cpu: usize) -> Option<&Ring> {
        // SAFETY: as the caller vouches.
        unsafe { self.plan.layout.ring(self, cpu) }
    }

    /// Handovers from each pCPU to each, as many rows as columns; empty where no matrix is kept.
    ///
    /// # Safety
    ///
    /// `self` must head an arena laid out as `self.plan.layout` says, mapped whole.
    #[inline(always)]
    pub unsafe fn matrix(&self) -> &[Octaves] {
        // SAFETY: as the caller vouches.
        unsafe { self.plan.layout.matrix(self) }
    }

    /// Handovers from each NUMA node to each, as many rows as columns; empty where no such matrix is kept.
    ///
    /// # Safety
    ///
    /// As for [`Header::matrix`].
    #[inline(always)]
    pub unsafe fn node_matrix(&self) -> &[Octaves] {
        // SAFETY: as the caller vouches.
        unsafe { self.plan.layout.node_matrix(self) }
    }

    /// Row and column of each vCPU's node in that matrix; empty where none is kept. Written by the parent before the
    /// cell's process starts. Not in the vCPUs' blocks: those are whole pages apart, so that reading many would keep
    /// evicting one another from the cache.
    ///
    /// # Safety
    ///
    /// As for [`Header::matrix`].
    #[inline(always)]
    pub unsafe fn node_rows(&self) -> &[AtomicU16] {
        // SAFETY: as the caller vouches.
        unsafe { self.plan.layout.node_rows(self, self.plan.params.vcpus as usize) }
    }
}
