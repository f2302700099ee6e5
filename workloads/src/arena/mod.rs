//! The arena: one shared mapping that holds a cell's lock, the data it protects and a block per vCPU.
//!
//! The arena is `repr(C)`. The cell's threads and its virtual machine reach it at the same address, the parent that samples it
//! at another. So it holds offsets and no pointers into itself, except in fields that the cell's own process fills in. Every
//! field has one writer, and all that changes while workers run is atomic.

mod layout;

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64};

use lockbench_locks::pause::Pause;
use lockbench_locks::{Event, Params};

use crate::extension::SliceControl;
use crate::lock_time::LockTime;
use crate::probe::Phase;
use crate::ring::{Ring, Worst};
use crate::traced::{Octaves, Traced};
pub use layout::{Detail, Extent, Layout};

/// Number of quantiles in the think-time table.
pub const THINK_ENTRIES: usize = 256;
/// Number of entries of the table that locks are drawn from.
pub const PICKS: usize = 1024;
/// Distance in bytes between two of the cache lines that sections write ([`Plan::lines`]).
pub const LINE: usize = 64;

/// [`Plan::pauses`] where no step of a wait yields.
pub const NEVER_YIELDS: u32 = u32::MAX;

/// First bytes of an arena: a file descriptor of anything else is refused.
pub const MAGIC: u64 = u64::from_le_bytes(*b"lockbnc1");

/// Head of the arena.
#[repr(C, align(4096))]
pub struct Header {
    /// Written by the parent before the cell's process starts.
    pub plan: Plan,
    /// Opened by the parent.
    pub gate: Gate,
    /// What the first lock protects.
    pub data: Data,
    /// What the lock's time goes into; written by the lock's holders where they trace.
    pub time: LockTime,
    /// Which handover was the worst; written by the lock's holders where they trace.
    pub worst: Worst,
    /// The pages that are not there yet.
    pub holes: Holes,
}

/// What the workers are to do; constant while they run. On pages of its own, which a cell's process makes read-only once
/// it has mapped them: a lock that stores where it should not faults instead of changing the plan.
#[derive(Clone, Debug)]
#[repr(C, align(4096))]
pub struct Plan {
    /// [`MAGIC`].
    pub magic: u64,
    /// Where the parts of the arena lie.
    pub layout: Layout,
    /// The lock's parameters, with the number of vCPUs.
    pub params: Params,
    /// Steps of [`burn`](crate::work::burn) in the section.
    pub section_work: u32,
    /// Whether the steps are drawn from `section` instead.
    pub varies: bool,
    /// Whether sections write `lines` or touch pages: for a worker of plain sections it is one question.
    pub writes: bool,
    /// Pages that sections touch in turn, a power of two; 0 where they touch none.
    pub touched: usize,
    /// Distance in bytes between two of these pages: a page of the kernel's usual size.
    pub page: usize,
    /// Bytes of a page of the arena's memory: the same, or those of a huge page.
    pub memory_page: usize,
    /// Nominal length of the section's work, in ticks.
    pub section_ticks: u64,
    /// The longest time, in ticks, that may pass between two looks at an unchanged probe; more than that is a gap.
    pub gap_ticks: u64,
    /// What each halt and each kick costs on top of its own price, in ticks. Environments spend it.
    pub kick_cost_ticks: u64,
    /// How many steps of a wait pause the processor before all further ones yield the pCPU; [`NEVER_YIELDS`] where all pause.
    pub pauses: u32,
    /// Whether there is one vCPU and no section, not even the counter's update.
    pub alone: bool,
    /// Whether a vCPU that holds the lock asks the kernel for a longer timeslice.
    pub extends: bool,
    /// Number of shared cache lines written in the section.
    pub lines: u32,
    /// Whether vCPU 0 takes the lock first and holds it until [`Gate::hold`] falls.
    pub start_queued: bool,
    /// Whether there is think time at all.
    pub thinks: bool,
    /// Whether the loop is open: requests arrive at times of their own, whether or not the last one is done. `think` then
    /// holds the times between two arrivals, in ticks.
    pub open: bool,
    /// Whether a vCPU sleeps between two requests: it halts, and its hypervisor wakes it. `think` then holds the times, in ticks.
    pub sleeps: bool,
    /// Seed of the random draws; each vCPU mixes its own number into it.
    pub draws: u64,
    /// Quantiles of the think time in steps of work, drawn from uniformly: `core` has no logarithm to compute them with.
    pub think: [u32; THINK_ENTRIES],
    /// Quantiles of the section's steps, drawn from uniformly where they vary.
    pub section: [u32; THINK_ENTRIES],
    /// Number of locks.
    pub locks: u32,
    /// Whether a request that began with lock 1 takes lock 0 inside it. There are two locks then, and always in this order, so that
    /// there is no deadlock.
    pub nests: bool,
    /// The lock that a request begins with, drawn from uniformly where there are several.
    pub picks: [u8; PICKS],
}

impl Plan {
    /// A plan of empty sections of one lock and no think time, in pages of `page` bytes. Nothing is drawn, asked for or written.
    pub fn plain(layout: Layout, params: Params, page: usize) -> Self {
        Self {
            magic: MAGIC,
            layout,
            params,
            section_work: 0,
            varies: false,
            writes: false,
            touched: 0,
            page,
            memory_page: page,
            section_ticks: 0,
            gap_ticks: 0,
            kick_cost_ticks: 0,
            pauses: NEVER_YIELDS,
            alone: false,
            extends: false,
            lines: 0,
            start_queued: false,
            thinks: false,
            open: false,
            sleeps: false,
            draws: 0,
            think: [0; THINK_ENTRIES],
            section: [0; THINK_ENTRIES],
            locks: 1,
            nests: false,
            picks: [0; PICKS],
        }
    }
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

/// What a lock protects, on cache lines of its own. It is accessed inside the section only, so every access is relaxed.
#[repr(C, align(128))]
pub struct Data {
    /// Acquisitions by all vCPUs. Raised by a plain load and a plain store: two vCPUs inside at once lose an update.
    pub counter: AtomicU64,
    /// Number of the vCPU inside.
    pub owner: AtomicU32,
    /// What `counter` was when the owner's present run (acquisitions in a row by one vCPU) began.
    pub run_began: AtomicU64,
    /// How many pages sections have touched that were not there. Written where there is one lock.
    pub fresh: AtomicU64,
    /// How often a section found no such page left, and touched one that was there.
    pub present: AtomicU64,
}

/// Pages that are not there: holes in the arena's file.
#[repr(C, align(128))]
pub struct Holes {
    /// How many were made so far: sections may touch the pages whose numbers in order of time lie below. Written by the parent.
    pub made: AtomicU64,
}

/// Halts vCPU `me` until it is kicked. In the `kvm` environment this is leaf code.
pub type HaltFn = unsafe extern "C" fn(arena: *const Header, me: u32);
/// Kicks vCPU `cpu`.
pub type KickFn = unsafe extern "C" fn(arena: *const Header, cpu: u32);

/// Yields the pCPU of vCPU `me`, which stays runnable.
pub type YieldFn = unsafe extern "C" fn(arena: *const Header, me: u32);

/// Gives back the pCPU that vCPU `me` was let keep beyond its timeslice.
pub type GiveBackFn = unsafe extern "C" fn(arena: *const Header, me: u32);

/// Forgets a kick of vCPU `me` that has ended no halt.
pub type ForgetFn = unsafe extern "C" fn(arena: *const Header, me: u32);

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
    /// How the emulated hypervisor takes the vCPU off its pCPU.
    pub control: Control,
}

/// A vCPU's place in its environment.
#[repr(C)]
pub struct EnvBlock {
    /// Halts this vCPU.
    pub halt: UnsafeCell<Option<HaltFn>>,
    /// Kicks another vCPU.
    pub kick: UnsafeCell<Option<KickFn>>,
    /// Forgets a kick; none where that would cost more than a halt that returns at once.
    pub forget: UnsafeCell<Option<ForgetFn>>,
    /// Yields this vCPU's pCPU.
    pub give_way: UnsafeCell<Option<YieldFn>>,
    /// Gives this vCPU's pCPU back after an extension of its timeslice.
    pub give_back: UnsafeCell<Option<GiveBackFn>>,
    /// Where this vCPU asks for such an extension; null where it does not.
    pub slice: AtomicPtr<SliceControl>,
    /// A word that the kernel or hypervisor changes when it takes the pCPU away; null where preemptions are not counted.
    pub probe: AtomicPtr<u64>,
    /// What the probe reads while the vCPU runs undisturbed.
    pub expected: AtomicU64,
    /// What to store into the probe after it changed; 0 where nothing is stored and the new value is expected from then on.
    pub rearm: AtomicU64,
    /// A byte that is not 0 while the vCPU is off its pCPU; null where the host gives no such hint.
    pub preempted: AtomicPtr<u8>,
    /// NUMA node of this vCPU's pCPU.
    pub node: AtomicU32,
    /// Kernel thread id of the thread that is or runs this vCPU.
    pub tid: AtomicU32,
}

// SAFETY: `halt`, `kick`, `forget`, `give_way` and `give_back` are written once, by the thread that starts the vCPU, before it counts
// itself ready; they are read by that vCPU only, after the gate opened. The rest is atomic.
unsafe impl Sync for EnvBlock {}

/// A word on cache lines of its own.
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

/// What the emulated hypervisor and the thread that is or runs the vCPU share. Unused where the kernel schedules the vCPUs.
#[repr(C, align(128))]
pub struct Control {
    /// Pauses, resumes and halts.
    pub pause: Pause,
    /// The lane of the board that is told when this vCPU halts or is kicked: that of its last pCPU. Written by the hypervisor.
    pub lane: AtomicU32,
    /// When the vCPU last came back to a pCPU, in ticks. Written by the vCPU's thread.
    pub back_at: AtomicU64,
    /// When the vCPU last left its pCPU, in ticks. Written by the vCPU's thread.
    pub left_at: AtomicU64,
    /// The timer that the vCPU has set before it halted: after so many ticks the hypervisor kicks it; 0 for no timer. Written by the
    /// worker.
    pub timer: AtomicU64,
    /// How often the hypervisor took the pCPU away, or was given it by a yield. Written by the hypervisor, while the vCPU is off its
    /// pCPU.
    pub pauses: AtomicU64,
    /// What the vCPU's thread took of a pCPU while the vCPU had none: to give it up and to come back, in nanoseconds. Written by that
    /// thread.
    pub between_ns: AtomicU64,
    /// What that thread had taken altogether when the vCPU left its pCPU; 0 while it has one. Written by that thread.
    pub left_own_ns: AtomicU64,
    /// When the vCPU's present timeslice ends at the latest, in ticks; 0 while nobody tells. Written by the hypervisor.
    pub slice_end: AtomicU64,
    /// 1 while the vCPU is off its pCPU. Written by the hypervisor.
    pub off: AtomicU8,
}

/// What a worker writes about itself. It is the only writer, so it adds by a plain load and store of atomics.
#[repr(C, align(128))]
pub struct OwnBlock {
    /// Acquisitions by this vCPU, counted inside the section.
    pub operations: AtomicU64,
    /// How often another vCPU's number stood in `owner` at the end of the section.
    pub violations: AtomicU64,
    /// Acquisitions that failed: the lock gave up.
    pub failures: AtomicU64,
    /// Acquisitions of the longest run that this vCPU ended. The parent sets it to 0 when the window opens; should the worker
    /// overwrite that, it writes the length of a run that ended at that moment.
    pub longest_run: AtomicU64,
    /// Preemptions by the phase that they were noticed in.
    pub preempted: [AtomicU64; Phase::COUNT],
    /// The lock's events, by kind.
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

    /// Handovers from each pCPU (row) to each (column); empty where no matrix is kept.
    ///
    /// # Safety
    ///
    /// `self` must head an arena laid out as `self.plan.layout` says, mapped whole.
    #[inline(always)]
    pub unsafe fn matrix(&self) -> &[Octaves] {
        // SAFETY: as the caller vouches.
        unsafe { self.plan.layout.matrix(self) }
    }

    /// Handovers from each NUMA node (row) to each (column); empty where no such matrix is kept.
    ///
    /// # Safety
    ///
    /// As for [`Header::matrix`].
    #[inline(always)]
    pub unsafe fn node_matrix(&self) -> &[Octaves] {
        // SAFETY: as the caller vouches.
        unsafe { self.plan.layout.node_matrix(self) }
    }

    /// For each vCPU the row of its node in the matrix of nodes, which is also its column; empty where no such matrix is kept.
    /// The parent writes them before the cell's process starts. They are not in the vCPUs' blocks, which are whole pages apart:
    /// the lines would share few sets of the cache and evict one another.
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
