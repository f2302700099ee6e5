//! Where the parts of an arena lie.

use core::mem::offset_of;
use core::ops::Range;
use core::sync::atomic::{AtomicU16, AtomicU64};

use super::{Block, Data, Header, LINE};
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
    /// Size of a page of the arena's memory in bytes: the least that can lie on a NUMA node of its own.
    pub page: usize,
    /// Distance in bytes between two pages that sections touch, of which a huge page has several.
    pub touch_step: usize,
    /// Whether the lock and the shared lines that sections write lie on pages of their own, so that they can lie on two NUMA nodes.
    pub apart: bool,
    /// Number of pages that sections touch in turn.
    pub touched: usize,
    /// Number of locks; there is at least one.
    pub locks: usize,
    /// Whether all locks share the vCPUs' parts of the lock; if not, each vCPU has a part for each lock.
    pub shares_blocks: bool,
}

impl Extent {
    /// Room for one lock and for counters only.
    pub const fn plain(vcpus: usize, page: usize) -> Self {
        Self {
            vcpus,
            lines: 0,
            detail: Detail::Counts,
            pcpus: 0,
            nodes: 0,
            page,
            touch_step: page,
            apart: false,
            touched: 0,
            locks: 1,
            shares_blocks: false,
        }
    }
}

/// Byte offsets within an arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Layout {
    /// The first lock, which lies at the same place in every arena.
    pub lock: usize,
    /// Distance from one lock to the next, and from what one lock protects to what the next one does. What the first one protects is
    /// in the header, so that the others lie between the locks.
    pub lock_step: usize,
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
    /// Distance from a block to the lock's per-vCPU part behind it: that of the first lock.
    pub per_vcpu: usize,
    /// Distance from the per-vCPU part of one lock to that of the next; 0 where all locks share it.
    pub per_vcpu_step: usize,
    /// Distance from a block to the vCPU's acquisitions of each lock; 0 where there is one lock.
    pub tallies: usize,
    /// Distance from a block to the vCPU's times; 0 where no times are taken.
    pub traced: usize,
    /// Distance from a block to the vCPU's ring of events; 0 where no events are kept.
    pub ring: usize,
    /// Size of the whole arena, in whole pages.
    pub total: usize,
}

impl Layout {
    /// Where the first lock lies in every arena, so that one address leads to a lock and to what it protects.
    pub(crate) const LOCK: usize = size_of::<Header>().next_multiple_of(PAIR);

    /// The layout for locks of one kind and their part per vCPU; none if either asks for an alignment above two cache lines.
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
        let several = extent.locks > 1;
        let lock_step = lock_step(lock.size());
        let part = per_vcpu.size().next_multiple_of(PAIR);
        let mut at = size_of::<Header>();
        let lock = place(&mut at, lock_step * (extent.locks - 1) + lock.size());
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
        let blocks = touched + (extent.touched * extent.touch_step).next_multiple_of(extent.page);

        let mut at = size_of::<Block>();
        let own_parts = several && !extent.shares_blocks;
        let per_vcpu = place(&mut at, if own_parts { part * extent.locks } else { part });
        let per_vcpu_step = if own_parts { part } else { 0 };
        let tallies = if several { place(&mut at, extent.locks * size_of::<AtomicU64>()) } else { 0 };
        let traced = if times { place(&mut at, size_of::<Traced>()) } else { 0 };
        let events = extent.detail as usize >= Detail::Events as usize;
        let ring = if events { place(&mut at, size_of::<Ring>()) } else { 0 };
        let stride = at.next_multiple_of(extent.page);
        let total = blocks + stride * extent.vcpus;
        Some(Self {
            lock,
            lock_step,
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
            per_vcpu_step,
            tallies,
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

    /// Lock number `which` of one kind.
    ///
    /// # Safety
    ///
    /// As for [`Layout::block`], with a layout for an `L` and for more than `which` locks.
    #[inline(always)]
    pub(crate) unsafe fn lock<L>(&self, arena: *const Header, which: usize) -> *mut L {
        // SAFETY: as the caller vouches, `Layout::new` reserved so many there, each aligned.
        unsafe { arena.byte_add(self.lock + which * self.lock_step).cast::<L>().cast_mut() }
    }

    /// vCPU 0's part of lock number `which`; those of the others lie `stride` apart.
    ///
    /// # Safety
    ///
    /// As for [`Layout::lock`].
    #[inline(always)]
    pub(crate) unsafe fn first_part<T>(&self, arena: *const Header, which: usize) -> *mut T {
        let at = self.blocks + self.per_vcpu + which * self.per_vcpu_step;
        // SAFETY: as the caller vouches, `Layout::new` reserved a part for each lock behind each block, or one for all.
        unsafe { arena.byte_add(at).cast::<T>().cast_mut() }
    }

    /// What lock number `which` protects.
    ///
    /// # Safety
    ///
    /// As for [`Layout::block`], with a layout for more than `which` locks.
    #[inline(always)]
    pub unsafe fn data<'a>(&self, arena: *const Header, which: usize) -> &'a Data {
        let at = which * self.lock_step + offset_of!(Header, data);
        // SAFETY: as the caller vouches; the first is in the header, and `Layout::new` left room for the others between the locks. Zeros
        // are valid ones, and they are only shared.
        unsafe { &*arena.byte_add(at).cast() }
    }

    /// How often vCPU `cpu` has taken each of `locks` locks; empty where there is one lock, for then its block tells.
    ///
    /// # Safety
    ///
    /// As for [`Layout::block`], with a layout for so many locks.
    #[inline(always)]
    pub unsafe fn tallies<'a>(&self, arena: *const Header, cpu: usize, locks: usize) -> &'a [AtomicU64] {
        let count = if self.tallies == 0 { 0 } else { locks };
        // SAFETY: as in `matrix`.
        unsafe {
            let first = arena.byte_add(self.blocks + cpu * self.stride + self.tallies).cast();
            core::slice::from_raw_parts(first, count)
        }
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

/// Distance between two locks of `size` bytes: what the second one protects must lie behind the first one.
const fn lock_step(size: usize) -> usize {
    let step = (size + Layout::LOCK - offset_of!(Header, data)).next_multiple_of(PAIR);
    // Lines that are a multiple of 4 KiB apart share a set of the first cache.
    if step.is_multiple_of(4096) { step + PAIR } else { step }
}

/// Reserves `size` bytes at the next multiple of [`PAIR`].
const fn place(at: &mut usize, size: usize) -> usize {
    let place = at.next_multiple_of(PAIR);
    *at = place + size;
    place
}

#[cfg(test)]
mod tests;
