//! What a tracing worker books at each step of a turn. A vCPU whose probe does not trace calls none of this.

use core::cell::Cell;
use core::sync::atomic::Ordering::Relaxed;

use lockbench_locks::Order;

use crate::arena::Header;
use crate::counter::{add, bump};
use crate::lock_time::{until_taken, while_held};
use crate::probe::Phase;
use crate::ring::EventKind;
use crate::traced::{Octaves, Traced};

/// What a vCPU remembers from look to look, in ticks.
#[derive(Debug, Default)]
struct Stamps {
    /// It last looked at its probe, and so was running.
    last_look: Cell<u64>,
    /// It last found that it had been preempted.
    resumed: Cell<u64>,
    /// It last returned from a halt.
    woke: Cell<u64>,
    /// It last asked for the lock.
    asked: Cell<u64>,
    /// Spin iterations since the wait or the last halt.
    spins: Cell<u64>,
}

/// A vCPU's bookkeeper.
pub(crate) struct Tracer {
    header: *const Header,
    me: u32,
    stamps: Stamps,
}

impl Tracer {
    /// # Safety
    ///
    /// As for [`Header::block`], for as long as this lives.
    #[inline(always)]
    pub(crate) unsafe fn new(header: *const Header, me: u32) -> Self {
        Self { header, me, stamps: Stamps::default() }
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

    /// The vCPU looked at its probe, in `phase`, which had not changed.
    #[inline(always)]
    pub(crate) fn looked(&self, phase: Phase, now: u64) {
        let last = self.stamps.last_look.replace(now);
        let gap = now.saturating_sub(last);
        if last != 0 && gap > self.header().plan.gap_ticks {
            self.gap(phase, gap);
        }
    }

    /// The kernel took nothing from it, and yet it was away: a VM beneath, an interrupt, a page fault.
    #[inline(always)]
    fn gap(&self, phase: Phase, ticks: u64) {
        let Some(mine) = self.mine() else { return };
        bump(&mine.gaps[phase as usize]);
        add(&mine.gap_ticks, ticks);
        if ticks > mine.longest_gap.load(Relaxed) {
            mine.longest_gap.store(ticks, Relaxed);
        }
    }

    /// It looks again after it slept, which was no gap.
    #[inline(always)]
    pub(crate) fn awake(&self, now: u64) {
        self.stamps.last_look.set(now);
    }

    /// It had changed: off the pCPU at some time since the last look.
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

    /// About to halt.
    #[inline(always)]
    pub(crate) fn halting(&self, now: u64) {
        let spins = self.stamps.spins.replace(0);
        if let Some(mine) = self.mine() {
            add(&mine.spins_before_halt, spins);
        }
        self.event(now, EventKind::Halt, 0);
    }

    /// Runs again after a halt that began at `halted`.
    #[inline(always)]
    pub(crate) fn woke(&self, halted: u64, now: u64) {
        self.stamps.woke.set(now);
        if let Some(mine) = self.mine() {
            // A kick from before the halt woke nobody: it only kept this vCPU from sleeping.
            let kicked = mine.kicked_at.0.swap(0, Relaxed);
            if kicked >= halted && kicked <= now {
                mine.wake.add(now - kicked);
            }
        }
        self.event(now, EventKind::Wake, 0);
    }

    /// About to kick `cpu`, one of this arena's vCPUs.
    #[inline(always)]
    pub(crate) fn kicking(&self, cpu: usize, now: u64) {
        // The first of several kicks is the one that wakes. Of two kickers at once either may stand there.
        if let Some(target) = self.of(cpu)
            && target.kicked_at.0.load(Relaxed) == 0
        {
            target.kicked_at.0.store(now, Relaxed);
        }
        self.event(now, EventKind::Kick, cpu as u64);
    }

    /// About to acquire, as was due since `since`.
    #[inline(always)]
    pub(crate) fn asking(&self, since: u64, now: u64) {
        self.stamps.asked.set(now);
        self.stamps.spins.set(0);
        if let Some(mine) = self.mine() {
            mine.wait_since.store(since, Relaxed);
        }
        self.event(now, EventKind::Wait, 0);
    }

    /// Holds the lock.
    #[inline(always)]
    pub(crate) fn acquired(&self, order: Order, now: u64) {
        let header = self.header();
        let Some(mine) = self.mine() else { return };
        // A vCPU's clock may be a few ticks behind another's; no time is negative.
        let waited = now.saturating_sub(mine.wait_since.load(Relaxed));
        mine.acquire.add(waited);
        mine.longest_wait.note(waited, now);

        let released = header.time.since();
        let previous = header.data.owner.load(Relaxed);
        let waiting = self.stamps.asked.get() <= released;
        let handover = (waiting && previous != self.me).then(|| now.saturating_sub(released));
        if previous != self.me {
            bump(&mine.handovers);
        }
        if handover.is_some() {
            self.handed_over(mine, released, now, previous);
        }
        header.worst.turn(handover);
        let turn = header.time.turn();
        let last = mine.last_turn.load(Relaxed);
        if last != 0 {
            mine.reacquire.add(turn.wrapping_add(1).saturating_sub(last));
        }
        mine.last_turn.store(turn.wrapping_add(1), Relaxed);
        // An unfair lock is granted to whoever comes, so a vCPU that was not running was not waited for.
        let granted = waiting && !matches!(order, Order::Unfair);
        let ran = granted.then(|| self.stamps.resumed.get().max(self.stamps.woke.get()));
        let spent = until_taken(released, self.first_wanted(released), ran, now);
        header.time.book(&spent, now, Some(self.me));
        // Only now, for `first_wanted` counts this vCPU in.
        mine.wait_since.store(0, Relaxed);
        self.event(now, EventKind::Acquire, turn);
    }

    /// The lock came from vCPU `previous` while this one was waiting for it.
    #[inline(always)]
    fn handed_over(&self, mine: &Traced, released: u64, now: u64, previous: u32) {
        let took = now.saturating_sub(released);
        mine.handover.add(took);
        mine.longest_handover.note(took, now);
        let resumed = self.stamps.resumed.get();
        // A lock that waits inside the kernel is never seen to spin: when it ran again is when it had the lock.
        let watched = self.stamps.spins.get() > 0 || self.stamps.woke.get() > self.stamps.asked.get();
        if watched && resumed > released {
            bump(&mine.granted_off);
            add(&mine.granted_off_ticks, resumed - released);
        }
        let layout = &self.header().plan.layout;
        // SAFETY: `new`'s caller vouched for the arena.
        let (matrix, nodes, rows) =
            unsafe { (self.header().matrix(), self.header().node_matrix(), self.header().node_rows()) };
        let ends = [previous as usize, self.me as usize];
        // vCPUs are dealt to pCPUs in turns. `checked_rem`, for without a matrix there are no pCPUs to divide by.
        book(matrix, layout.matrix_pcpus, ends.map(|cpu| cpu.checked_rem(layout.matrix_pcpus)), took);
        let row = |cpu: usize| rows.get(cpu).map(|row| usize::from(row.load(Relaxed)));
        book(nodes, layout.matrix_nodes, ends.map(row), took);
    }

    /// When the lock, free since `released`, was first wanted by a vCPU that waits now, this one included.
    #[inline(always)]
    fn first_wanted(&self, released: u64) -> u64 {
        let mut first = self.stamps.asked.get();
        // One that was there before the release settles it, and in a contended lock that is this vCPU itself. In one that
        // is often free nearly all of them are looked at, each on a line that seldom changes.
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

    /// About to release the lock.
    #[inline(always)]
    pub(crate) fn releasing(&self, now: u64) {
        let header = self.header();
        let Some(mine) = self.mine() else { return };
        let (acquired, turn) = (header.time.since(), header.time.turn());
        let held = now.saturating_sub(acquired);
        mine.hold.add(held);
        mine.longest_hold.note(held, now);
        // The look at the section's end, or one within it, found the probe changed.
        let preempted = self.stamps.resumed.get() > acquired;
        let shortest = mine.shortest_hold.load(Relaxed);
        if !preempted && (shortest == 0 || held < shortest) {
            mine.shortest_hold.store(held, Relaxed);
        }
        let spent = while_held(held, preempted, mine.typical_hold(header.plan.section_ticks));
        header.time.book(&spent, now, None);
        self.event(now, EventKind::Release, turn);
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
mod tests {
    use super::*;
    use crate::arena::{Detail, Extent, Layout};
    use crate::traced::MATRIX_PCPUS;
    use std::alloc;

    /// A zeroed arena of two vCPUs, of which each runs on a node of its own, on a machine with too many pCPUs for a map of
    /// them. Never freed.
    fn arena() -> &'static Header {
        let unit = alloc::Layout::new::<()>();
        let pcpus = MATRIX_PCPUS + 1;
        let extent = Extent { vcpus: 2, lines: 0, detail: Detail::Times, pcpus, nodes: 2, page: 4096 };
        let layout = Layout::new(unit, unit, &extent).unwrap();
        let room = alloc::Layout::from_size_align(layout.total, 4096).unwrap();
        // SAFETY: the layout is not empty, zeros are a valid arena, and nobody else has the address yet.
        let header: &mut Header = unsafe { &mut *alloc::alloc_zeroed(room).cast() };
        header.plan.layout = layout;
        header.plan.params.vcpus = 2;
        // SAFETY: the allocation is as long as that layout says.
        let rows = unsafe { header.node_rows() };
        rows[1].store(1, Relaxed);
        header
    }

    #[test]
    fn a_handover_is_booked_between_the_nodes_of_its_vcpus_however_many_pcpus_there_are() {
        let header = arena();
        // SAFETY: both are vCPUs of that arena, which is never freed.
        let [first, second] = [0, 1].map(|me| unsafe { Tracer::new(header, me) });
        header.data.owner.store(u32::MAX, Relaxed);
        header.time.start(1_000);
        first.asking(1_001, 1_001);
        first.acquired(Order::Fifo, 1_002);
        header.data.owner.store(0, Relaxed);
        second.asking(1_500, 1_500);
        first.releasing(2_000);
        second.acquired(Order::Fifo, 2_100);
        header.data.owner.store(1, Relaxed);
        first.asking(2_200, 2_200);
        second.releasing(3_000);
        first.acquired(Order::Fifo, 3_006);
        // SAFETY: as for `arena`.
        let (pcpus, nodes) = unsafe { (header.matrix(), header.node_matrix()) };
        assert!(pcpus.is_empty());
        let booked = |entry: &Octaves| entry.0.iter().position(|count| count.load(Relaxed) == 1);
        let octaves: std::vec::Vec<Option<usize>> = nodes.iter().map(booked).collect();
        assert_eq!(octaves, [None, Some(6), Some(2), None], "100 ticks there, 6 ticks back");
    }
}
