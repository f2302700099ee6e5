use super::*;
use crate::arena::{Detail, Extent, Layout};
use crate::traced::MATRIX_PCPUS;
use std::alloc;

/// A zeroed arena of two vCPUs, each on a node of its own, on a machine with too many pCPUs for a matrix of pCPUs. It is
/// never freed.
fn arena(detail: Detail) -> &'static Header {
    let unit = alloc::Layout::new::<()>();
    let pcpus = MATRIX_PCPUS + 1;
    let extent = Extent { detail, pcpus, nodes: 2, ..Extent::plain(2, 4096) };
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
    let header = arena(Detail::Times);
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

#[test]
fn histograms_and_events_wait_until_the_lock_is_free_again() {
    let header = arena(Detail::Events);
    // SAFETY: 0 is a vCPU of that arena, which is never freed.
    let (tracer, mine, ring) =
        unsafe { (Tracer::new(header, 0), header.traced(0).unwrap(), header.ring(0).unwrap()) };
    let in_histograms = || {
        let all = [&mine.acquire, &mine.hold, &mine.handover, &mine.reacquire];
        all.iter().flat_map(|times| &times.0).map(|count| count.load(Relaxed)).sum::<u64>()
    };
    header.data.owner.store(1, Relaxed);
    tracer.asking(500, 500);
    header.time.start(1_000);
    tracer.acquired(Order::Fifo, 1_200);
    assert_eq!(header.time.since(), 1_200, "the lock's account is the holder's to write");
    assert_eq!((mine.handovers.load(Relaxed), in_histograms(), ring.events().count()), (1, 0, 1));
    tracer.releasing(1_900);
    assert_eq!((header.time.since(), in_histograms(), ring.events().count()), (1_900, 0, 1));
    tracer.released();
    assert_eq!(in_histograms(), 3, "a wait, a hold and a handover");
    assert_eq!(
        [&mine.longest_wait, &mine.longest_hold].map(|longest| longest.ticks.load(Relaxed)),
        [700, 700]
    );
    let events: std::vec::Vec<_> = ring.events().collect();
    let kinds = [(500, EventKind::Wait, 0), (1_200, EventKind::Acquire, 0), (1_900, EventKind::Release, 0)];
    assert_eq!(events, kinds);
    tracer.asking(2_000, 2_000);
    tracer.acquired(Order::Fifo, 2_100);
    tracer.releasing(2_200);
    tracer.released();
    assert_eq!(mine.reacquire.0[crate::histogram::bucket(1)].load(Relaxed), 1, "twice in a row");
}
