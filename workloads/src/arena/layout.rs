//! Where the parts of an arena lie.

use core::ops::Range;
use core::sync::atomic::AtomicU16;

use super::{Block, Header, LINE};
use crate::ring::Ring;
use crate::traced::{MATRIX_NODES, MATRIX_PCPUS, Octaves, Traced};

/// Bytes of two cache lines: the prefetcher fetches lines in pairs, so one line apart is not enough.
const PAIR: usize = 128;

/// How much a cell's vCPUs write about themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Counters only.
    Counts,
    /// Counters and times: what a worker of [`Trace`](crate::Trace) needs.
    Times,
    /// Counters, times and a ring of the latest events.
    Events,
}

/// How much room a cell needs.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Number of vCPUs.
    pub vcpus: usize,
    /// Number of shared cache lines that sections write.
    pub lines: usize,
    /// What each vCPU writes about itself.
    pub detail: Detail,
    /// Number of pCPUs that vCPUs are pinned to, round-robin; 0 where vCPUs float, or where nobody asks for handovers between
    /// pCPUs.
    pub pcpus: usize,
    /// Number of NUMA nodes that vCPUs are pinned to; 0 where vCPUs float. With a single node no matrix is kept.
    pub nodes: usize,
    /// Size of a page of the kernel in bytes: the least that can lie on a NUMA node of its own.
    pub page: usize,
    /// Whether the lock and the shared lines that sections write lie on pages of their own, so that they can lie on two NUMA nodes.
    pub apart: bool,
    /// Number of pages that sections touch in turn.
    pub touched: usize,
}

/// Byte offsets within an arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Layout {
    /// The lock.
    pub lock: usize,
    /// The shared lines that sections write.
    pub lines: usize,
    /// The handover matrix of pCPUs.
    pub matrix: usize,
    /// Rows (and columns) of the matrix of pCPUs; 0 where none is kept.
    pub matrix_pcpus: usize,
    /// Each vCPU's row and column in the handover matrix of NUMA nodes.
    pub node_rows: usize,
    /// The handover matrix of NUMA nodes.
    pub node_matrix: usize,
    /// Rows (and columns) of the matrix of nodes; 0 where none is kept.
    pub matrix_nodes: usize,
    /// The pages that sections touch in turn.
    pub touched: usize,
    /// The first vCPU's block.
    pub blocks: usize,
    /// Distance from one block to the next.
    pub stride: usize,
    /// Distance from a block to the lock's per-vCPU part behind it.
    pub per_vcpu: usize,
    /// Distance from a block to the vCPU's times; 0 where no times are taken.
    pub traced: usize,
    /// Distance from a block to the vCPU's ring of events; 0 where no events are kept.
    pub ring: usize,
    /// Size of the whole arena, in whole pages.
    pub total: usize,
}

impl Layout {
    /// The layout for a lock and its part per vCPU; none if either asks for an alignment above two cache lines.
    ///
    /// What all vCPUs share fills whole pages, and so does each block with what lies behind it, because each of them may be
    /// put on another NUMA node.
    pub const fn new(
        lock: core::alloc::Layout,
        per_vcpu: core::alloc::Layout,
        extent: &Extent,
    ) -> Option<Self> {
        if lock.align() > PAIR || per_vcpu.align() > PAIR {
            return None;
        }
        let mut at = size_of::<Header>();
        let lock = place(&mut at, lock.size());
        if extent.apart {
            at = at.next_multiple_of(extent.page);
        }
        let lines = place(&mut at, extent.lines * LINE);
        let times = extent.detail as usize >= Detail::Times as usize;
        let matrix_pcpus = if times && extent.pcpus <= MATRIX_PCPUS { extent.pcpus } else { 0 };
        let matrix = place(&mut at, matrix_pcpus * matrix_pcpus * size_of::<Octaves>());
        let told = times && extent.nodes > 1 && extent.nodes <= MATRIX_NODES;
        let matrix_nodes = if told { extent.nodes } else { 0 };
        let node_rows = place(&mut at, if told { extent.vcpus * size_of::<AtomicU16>() } else { 0 });
        let node_matrix = place(&mut at, matrix_nodes * matrix_nodes * size_of::<Octaves>());
        let touched = at.next_multiple_of(extent.page);
        let blocks = touched + extent.touched * extent.page;

        let mut at = size_of::<Block>();
        let per_vcpu = place(&mut at, per_vcpu.size());
        let traced = if times { place(&mut at, size_of::<Traced>()) } else { 0 };
        let events = extent.detail as usize >= Detail::Events as usize;
        let ring = if events { place(&mut at, size_of::<Ring>()) } else { 0 };
        let stride = at.next_multiple_of(extent.page);
        let total = blocks + stride * extent.vcpus;
        Some(Self {
            lock,
            lines,
            matrix,
            matrix_pcpus,
            node_rows,
            node_matrix,
            matrix_nodes,
            touched,
            blocks,
            stride,
            per_vcpu,
            traced,
            ring,
            total,
        })
    }

    /// The pages that all vCPUs share: header, lock, protected data, matrices.
    pub const fn shared(&self) -> Range<usize> {
        0..self.blocks
    }

    /// The pages of the header and the lock, where the shared lines have pages of their own.
    pub const fn before_lines(&self) -> Range<usize> {
        0..self.lines
    }

    /// The pages from the shared lines on, where these have pages of their own.
    pub const fn from_lines(&self) -> Range<usize> {
        self.lines..self.blocks
    }

    /// The pages of vCPU `cpu` alone: its block, its part of the lock, its times and events.
    pub const fn own(&self, cpu: usize) -> Range<usize> {
        let start = self.blocks + cpu * self.stride;
        start..start + self.stride
    }

    /// The block of vCPU `cpu` in an arena. A caller that does not trust the layout written in the arena keeps one of its own.
    ///
    /// # Safety
    ///
    /// `arena` must head an arena of this layout, mapped whole for `'a`, and `cpu` must be one of its vCPUs.
    #[inline(always)]
    pub unsafe fn block<'a>(&self, arena: *const Header, cpu: usize) -> &'a Block {
        // SAFETY: the caller vouches that the mapping holds the vCPUs' blocks behind `blocks`, `stride` apart; a zeroed
        // block is a valid one (integers, null pointers, None), and shared access is all that anyone has.
        unsafe { &*arena.byte_add(self.blocks + cpu * self.stride).cast() }
    }

    /// What vCPU `cpu` writes about its times; none where the arena has no room for it.
    ///
    /// # Safety
    ///
    /// As for [`Layout::block`].
    #[inline(always)]
    pub unsafe fn traced<'a>(&self, arena: *const Header, cpu: usize) -> Option<&'a Traced> {
        // SAFETY: as the caller vouches; `Layout::new` put it there, aligned, and zeros are a valid one.
        unsafe { self.behind_block(arena, cpu, self.traced) }
    }

    /// vCPU `cpu`'s ring of events; none where the arena has no room for it.
    ///
    /// # Safety
    ///
    /// As for [`Layout::block`].
    #[inline(always)]
    pub unsafe fn ring<'a>(&self, arena: *const Header, cpu: usize) -> Option<&'a Ring> {
        // SAFETY: as in `traced`.
        unsafe { self.behind_block(arena, cpu, self.ring) }
    }

    /// What lies `offset` bytes behind a block; none if `offset` is 0, which stands for "not kept".
    ///
    /// # Safety
    ///
    /// As for [`Layout::block`], and a `T` made of atomics must lie there.
    #[inline(always)]
    unsafe fn behind_block<'a, T>(&self, arena: *const Header, cpu: usize, offset: usize) -> Option<&'a T> {
        // SAFETY: inside the block's stride, as the caller vouches; like the block it is only ever shared.
        (offset != 0).then(|| unsafe { &*arena.byte_add(self.blocks + cpu * self.stride + offset).cast() })
    }

    /// Handovers from each pCPU (row) to each (column); empty where no matrix is kept.
    ///
    /// # Safety
    ///
    /// `arena` must head an arena of this layout, mapped whole for `'a`.
    #[inline(always)]
    pub unsafe fn matrix<'a>(&self, arena: *const Header) -> &'a [Octaves] {
        // SAFETY: `Layout::new` reserved so many there, aligned; zeros are valid ones. Where none are kept the slice is
        // empty and any aligned address will do.
        unsafe {
            let first = arena.byte_add(self.matrix).cast();
            core::slice::from_raw_parts(first, self.matrix_pcpus * self.matrix_pcpus)
        }
    }

    /// Handovers from each NUMA node (row) to each (column); empty where no matrix is kept.
    ///
    /// # Safety
    ///
    /// As for [`Layout::matrix`].
    #[inline(always)]
    pub unsafe fn node_matrix<'a>(&self, arena: *const Header) -> &'a [Octaves] {
        // SAFETY: as in `matrix`.
        unsafe {
            let first = arena.byte_add(self.node_matrix).cast();
            core::slice::from_raw_parts(first, self.matrix_nodes * self.matrix_nodes)
        }
    }

    /// For each of `vcpus` vCPUs the row of its node in the matrix of nodes, which is also its column; empty where no such
    /// matrix is kept.
    ///
    /// # Safety
    ///
    /// As for [`Layout::matrix`], and the layout must be one for so many vCPUs.
    #[inline(always)]
    pub unsafe fn node_rows<'a>(&self, arena: *const Header, vcpus: usize) -> &'a [AtomicU16] {
        let rows = if self.matrix_nodes == 0 { 0 } else { vcpus };
        // SAFETY: as in `matrix`.
        unsafe {
            let first = arena.byte_add(self.node_rows).cast();
            core::slice::from_raw_parts(first, rows)
        }
    }
}

/// Reserves `size` bytes at the next multiple of [`PAIR`].
const fn place(at: &mut usize, size: usize) -> usize {
    let place = at.next_multiple_of(PAIR);
    *at = place + size;
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_takes_no_room() {
        let unit = core::alloc::Layout::new::<()>();
        let layout = |detail, pcpus| {
            Layout::new(
                unit,
                unit,
                &Extent { vcpus: 4, lines: 0, detail, pcpus, nodes: 1, page: 4096, apart: false, touched: 0 },
            )
            .unwrap()
        };
        let counts = layout(Detail::Counts, 2);
        assert_eq!((counts.traced, counts.ring, counts.matrix_pcpus), (0, 0, 0));
        let times = layout(Detail::Times, 2);
        assert!(times.traced >= size_of::<Block>() && times.ring == 0 && times.matrix_pcpus == 2);
        let events = layout(Detail::Events, MATRIX_PCPUS + 1);
        assert!(events.ring >= events.traced + size_of::<Traced>() && events.matrix_pcpus == 0);
        assert!(events.stride >= events.ring + size_of::<Ring>());
    }

    #[test]
    fn what_is_shared_and_each_block_lie_on_pages_of_their_own() {
        let unit = core::alloc::Layout::new::<()>();
        for page in [4096, 16_384, 65_536] {
            for detail in [Detail::Counts, Detail::Times, Detail::Events] {
                let extent =
                    Extent { vcpus: 4, lines: 0, detail, pcpus: 2, nodes: 2, page, apart: false, touched: 0 };
                let layout = Layout::new(unit, unit, &extent).unwrap();
                let parts: [Range<usize>; 5] =
                    core::array::from_fn(|i| if i == 0 { layout.shared() } else { layout.own(i - 1) });
                let mut end = 0;
                for part in parts {
                    assert_eq!((part.start, part.start % page, part.end % page), (end, 0, 0));
                    end = part.end;
                }
                assert_eq!(end, layout.total);
                assert!(layout.shared().len() >= size_of::<Header>() && layout.lock <= layout.blocks);
            }
        }
    }

    #[test]
    fn the_lock_and_the_lines_of_sections_can_lie_on_pages_of_their_own() {
        let unit = core::alloc::Layout::new::<()>();
        for page in [4096, 65_536] {
            let extent = Extent {
                vcpus: 2,
                lines: 8,
                detail: Detail::Counts,
                pcpus: 2,
                nodes: 1,
                page,
                apart: true,
                touched: 0,
            };
            let layout = Layout::new(core::alloc::Layout::new::<u64>(), unit, &extent).unwrap();
            let (lock, lines) = (layout.before_lines(), layout.from_lines());
            assert!(lock.contains(&(layout.lock + 7)) && !lines.contains(&layout.lock));
            assert_eq!((lines.start, lines.start % page, lines.end), (layout.lines, 0, layout.blocks));
            assert!(lines.end >= layout.lines + 8 * LINE);
            assert_eq!((lock.start, lock.end), (0, lines.start));
        }
    }

    #[test]
    fn no_locks_word_shares_a_line_with_its_settings() {
        let settings =
            core::mem::offset_of!(Header, plan) + core::mem::offset_of!(super::super::Plan, params);
        let end = settings + size_of::<lockbench_locks::Params>();
        for family in crate::CATALOGUE {
            let extent = Extent {
                vcpus: 4,
                lines: 8,
                detail: Detail::Counts,
                pcpus: 2,
                nodes: 1,
                page: 4096,
                apart: false,
                touched: 0,
            };
            let layout = Layout::new(family.lock, family.per_vcpu, &extent).unwrap();
            let lines = settings / PAIR..end.div_ceil(PAIR);
            assert!(!lines.contains(&(layout.lock / PAIR)), "{}", family.name);
            assert!(end <= size_of::<super::super::Plan>(), "on the page that nobody may write");
        }
    }

    #[test]
    fn nodes_are_told_apart_where_there_are_several_however_many_pcpus() {
        let unit = core::alloc::Layout::new::<()>();
        let layout = |detail, pcpus, nodes| {
            Layout::new(
                unit,
                unit,
                &Extent {
                    vcpus: 1_000,
                    lines: 0,
                    detail,
                    pcpus,
                    nodes,
                    page: 4096,
                    apart: false,
                    touched: 0,
                },
            )
            .unwrap()
        };
        let many = layout(Detail::Times, 1_000, 8);
        assert_eq!((many.matrix_pcpus, many.matrix_nodes), (0, 8));
        assert!(many.node_matrix >= many.node_rows + 1_000 * size_of::<AtomicU16>());
        assert!(many.blocks >= many.node_matrix + 64 * size_of::<Octaves>());
        for none in [
            layout(Detail::Counts, 8, 8),
            layout(Detail::Times, 8, 1),
            layout(Detail::Times, 8, MATRIX_NODES + 1),
        ] {
            assert_eq!(none.matrix_nodes, 0);
            assert_eq!(none.node_matrix, none.node_rows);
        }
    }
}
