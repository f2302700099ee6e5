//! What a tracing worker books at each step of a request: asking, acquiring, releasing. A vCPU whose probe does not trace
//! calls none of this.

use core::cell::Cell;
use core::sync::atomic::Ordering::Relaxed;

use lockbench_locks::Order;

use crate::arena::Header;
use crate::counter::{add, bump};
use crate::lock_time::{until_taken, while_held};
use crate::probe::Phase;
use crate::ring::EventKind;
use crate::traced::{Octaves, Traced};

/// What an acquisition and its release saw, in ticks. The vCPU books it once the lock is free again, so that neither histograms
/// nor events lengthen the hold that they tell of.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    /// Number of the acquisition, over all vCPUs.
    acquisition: u64,
    /// When the vCPU got the lock.
    acquired: u64,
    /// How long it waited.
    waited: u64,
    /// How long the handover took, if this was one.
    handover: Option<u64>,
    /// When the vCPU was about to release the lock.
    released: u64,
    /// Whether it is known to have lost its pCPU while it held the lock.
    preempted: bool,
}

/// What a vCPU remembers from look to look; moments in ticks.
#[derive(Debug, Default)]
struct Stamps {
    /// When the vCPU last looked at its probe, and so was running.
    last_look: Cell<u64>,
    /// When it last found that it had been preempted.
    resumed: Cell<u64>,
    /// When it last returned from a halt.
    woke: Cell<u64>,
    /// When it last asked for the lock.
    asked: Cell<u64>,
    /// Number of spin iterations since its wait began or since its last halt.
    spins: Cell<u64>,
}

/// A vCPU's bookkeeper.
pub(crate) struct Tracer {
    header: *const Header,
    me: u32,
    stamps: Stamps,
    turn: Cell<Turn>,
}

impl Tracer {
    /// # Safety
    ///
    /// As for [`Header::block`], for as long as this lives.
    #[inline(always)]
    pub(crate) unsafe fn new(header: *const Header, me: u32) -> Self {
        Self { header, me, stamps: Stamps::default(), turn: Cell::default() }
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: `new`'s caller vouched for a mapped arena that outlives this.
        unsafe { &*self.header }
    }

    #[inline(always)]
    fn of(&self, cpu: usize) -> Option<&Traced> {
        // SAFETY: callers name vCPUs of this arena, for which `new`'s caller vouched.
        unsafe { self.header().traced(cpu) }
    }

    #[inline(always)]
    fn mine(&self) -> Option<&Traced> {
        self.of(self.me as usize)
    }

    #[inline(always)]
    fn event(&self, at: u64, kind: EventKind, argument: u64) {
        // SAFETY: `me` is a vCPU of this arena, as `new`'s caller vouched.
        if let Some(ring) = unsafe { self.header().ring(self.me as usize) } {
            ring.write(&self.header().worst, at, kind, argument);
        }
    }

    /// The vCPU looked at its probe at the end of `phase`, and the probe had not changed.
    #[inline(always)]
    pub(crate) fn looked(&self, phase: Phase, now: u64) {
        let last = self.stamps.last_look.replace(now);
        let gap = now.saturating_sub(last);
        if last != 0 && gap > self.header().plan.gap_ticks {
            self.gap(phase, gap);
        }
    }

    /// Books a gap: this kernel did not preempt the vCPU, and yet it did not run. A host beneath, an interrupt or a page fault
    /// does that.
    #[inline(always)]
    fn gap(&self, phase: Phase, ticks: u64) {
        let Some(mine) = self.mine() else { return };
        bump(&mine.gaps[phase as usize]);
        add(&mine.gap_ticks, ticks);
        if ticks > mine.longest_gap.load(Relaxed) {
            mine.longest_gap.store(ticks, Relaxed);
        }
    }

    /// The vCPU runs again after it slept, which is no gap.
    #[inline(always)]
    pub(crate) fn awake(&self, now: u64) {
        self.stamps.last_look.set(now);
    }

    /// The vCPU found its probe changed: it was off its pCPU at some time since its last look.
    #[inline(always)]
    pub(crate) fn resumed(&self, now: u64) {
        self.stamps.resumed.set(now);
        let last = self.stamps.last_look.replace(now);
        self.event(now, EventKind::Resumed, now.saturating_sub(last));
    }

    #[inline(always)]
    pub(crate) fn spun(&self) {
        self.stamps.spins.set(self.stamps.spins.get().wrapping_add(1));
    }

    /// The vCPU is about to halt.
    #[inline(always)]
    pub(crate) fn halting(&self, now: u64) {
        let spins = self.stamps.spins.replace(0);
        if let Some(mine) = self.mine() {
            add(&mine.spins_before_halt, spins);
        }
        self.event(now, EventKind::Halt, 0);
    }

    /// The vCPU runs again after a halt that began at `halted`.
    #[inline(always)]
    pub(crate) fn woke(&self, halted: u64, now: u64) {
        self.stamps.woke.set(now);
        if let Some(mine) = self.mine() {
            // A kick from before the halt did not wake this vCPU: it only kept it from sleeping.
            let kicked = mine.kicked_at.0.swap(0, Relaxed);
            if kicked >= halted && kicked <= now {
                mine.wake.add(now - kicked);
            }
        }
        self.event(now, EventKind::Wake, 0);
    }

    /// The vCPU has yielded; `was_off` tells whether it lost its pCPU by it.
    #[inline(always)]
    pub(crate) fn yielded(&self, was_off: bool, now: u64) {
        if was_off {
            // As after a halt: what was granted to it meanwhile was granted to a vCPU that did not run.
            self.stamps.woke.set(now);
        }
        self.awake(now);
    }

    /// The vCPU is about to kick `cpu`, one of this arena's vCPUs.
    #[inline(always)]
    pub(crate) fn kicking(&self, cpu: usize, now: u64) {
        // The first of several kicks is the one that wakes. If two vCPUs kick at once, the time of either may be kept.
        if let Some(target) = self.of(cpu)
            && target.kicked_at.0.load(Relaxed) == 0
        {
            target.kicked_at.0.store(now, Relaxed);
        }
        self.event(now, EventKind::Kick, cpu as u64);
    }

    /// The vCPU is about to acquire; its request was due at `since`.
    #[inline(always)]
    pub(crate) fn asking(&self, since: u64, now: u64) {
        self.stamps.asked.set(now);
        self.stamps.spins.set(0);
        if let Some(mine) = self.mine() {
            mine.wait_since.store(since, Relaxed);
        }
        self.event(now, EventKind::Wait, 0);
    }

    /// The vCPU does not wait any more, and has no lock.
    #[inline(always)]
    pub(crate) fn gave_up(&self) {
        if let Some(mine) = self.mine() {
            mine.wait_since.store(0, Relaxed);
        }
    }

    /// The vCPU holds the lock. Books what others read of it, and what only the holder may write.
    #[inline(always)]
    pub(crate) fn acquired(&self, order: Order, now: u64) {
        let header = self.header();
        let Some(mine) = self.mine() else { return };
        let released = header.time.since();
        let previous = header.data.owner.load(Relaxed);
        let waiting = self.stamps.asked.get() <= released;
        let handover = (waiting && previous != self.me).then(|| now.saturating_sub(released));
        if previous != self.me {
            bump(&mine.handovers);
        }
        if let Some(took) = handover {
            self.handed_over(mine, released, took, previous);
        }
        header.worst.acquired(handover);
        self.turn.set(Turn {
            acquisition: header.time.acquisition(),
            acquired: now,
            // Saturating, because a vCPU's clock may be a few ticks behind another's.
            waited: now.saturating_sub(mine.wait_since.load(Relaxed)),
            handover,
            ..Turn::default()
        });
        // An unfair lock is granted to no particular vCPU, so it never waits for one that is not running.
        let granted = waiting && !matches!(order, Order::Unfair);
        let ran = granted.then(|| self.stamps.resumed.get().max(self.stamps.woke.get()));
        let spent = until_taken(released, self.first_wanted(released), ran, now);
        header.time.book(&spent, now, Some(self.me));
        // Not earlier: `first_wanted` counts this vCPU's wait too.
        mine.wait_since.store(0, Relaxed);
    }

    /// Books a handover: vCPU `previous` released the lock at `released` while this vCPU was waiting for it.
    #[inline(always)]
    fn handed_over(&self, mine: &Traced, released: u64, took: u64, previous: u32) {
        let resumed = self.stamps.resumed.get();
        // A vCPU that waits inside the kernel neither spins nor halts here, so when it ran again is not known.
        let watched = self.stamps.spins.get() > 0 || self.stamps.woke.get() > self.stamps.asked.get();
        if watched && resumed > released {
            bump(&mine.granted_off);
            add(&mine.granted_off_ticks, resumed - released);
        }
        // vCPUs of one pCPU or node share a row of the matrices, so these are the holder's to write.
        let layout = &self.header().plan.layout;
        // SAFETY: `new`'s caller vouched for the arena.
        let (matrix, nodes, rows) =
            unsafe { (self.header().matrix(), self.header().node_matrix(), self.header().node_rows()) };
        let ends = [previous as usize, self.me as usize];
        // vCPUs are dealt to pCPUs round-robin. `checked_rem`, because `matrix_pcpus` is 0 where no matrix is kept.
        book(matrix, layout.matrix_pcpus, ends.map(|cpu| cpu.checked_rem(layout.matrix_pcpus)), took);
        let row = |cpu: usize| rows.get(cpu).map(|row| usize::from(row.load(Relaxed)));
        book(nodes, layout.matrix_nodes, ends.map(row), took);
    }

    /// When the lock, free since `released`, was first wanted by a vCPU that is waiting now. This vCPU counts too.
    #[inline(always)]
    fn first_wanted(&self, released: u64) -> u64 {
        let mut first = self.stamps.asked.get();
        // The loop ends at the first vCPU that waited before the release; in a contended lock that is this vCPU itself. In a
        // lock that is often free nearly all vCPUs are looked at, each on a cache line that seldom changes.
        for cpu in 0..self.header().plan.params.vcpus as usize {
            if first <= released {
                break;
            }
            let since = self.of(cpu).map_or(0, |traced| traced.wait_since.load(Relaxed));
            if since != 0 && since < first {
                first = since;
            }
        }
        first
    }

    /// The vCPU is about to release the lock.
    #[inline(always)]
    pub(crate) fn releasing(&self, now: u64) {
        let header = self.header();
        let Some(mine) = self.mine() else { return };
        let acquired = header.time.since();
        // True if the look at the section's end, or one within it, found the probe changed.
        let preempted = self.stamps.resumed.get() > acquired;
        let held = now.saturating_sub(acquired);
        let spent = while_held(held, preempted, mine.typical_hold(header.plan.section_ticks));
        header.time.book(&spent, now, None);
        self.turn.set(Turn { acquired, released: now, preempted, ..self.turn.get() });
    }

    /// The vCPU has released the lock, and books the turn that ended.
    #[inline(always)]
    pub(crate) fn released(&self) {
        let Some(mine) = self.mine() else { return };
        let turn = self.turn.get();
        mine.acquire.add(turn.waited);
        mine.longest_wait.note(turn.waited, turn.acquired);
        if let Some(took) = turn.handover {
            mine.handover.add(took);
            mine.longest_handover.note(took, turn.acquired);
        }
        let this = turn.acquisition.wrapping_add(1);
        let last = mine.last_acquisition.load(Relaxed);
        if last != 0 {
            mine.reacquire.add(this.saturating_sub(last));
        }
        mine.last_acquisition.store(this, Relaxed);
        let held = turn.released.saturating_sub(turn.acquired);
        mine.hold.add(held);
        mine.longest_hold.note(held, turn.released);
        let shortest = mine.shortest_hold.load(Relaxed);
        if !turn.preempted && (shortest == 0 || held < shortest) {
            mine.shortest_hold.store(held, Relaxed);
        }
        self.event(turn.acquired, EventKind::Acquire, turn.acquisition);
        self.event(turn.released, EventKind::Release, turn.acquisition);
    }
}

/// Books a handover from one row of a matrix to another, where both are known.
#[inline(always)]
fn book(matrix: &[Octaves], rows: usize, ends: [Option<usize>; 2], ticks: u64) {
    if let [Some(from), Some(to)] = ends
        && let Some(octaves) = matrix.get(from * rows + to)
    {
        octaves.add(ticks);
    }
}

#[cfg(test)]
mod tests;
