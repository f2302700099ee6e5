//! Who is asking, and the way to every vCPU's block.

use core::marker::PhantomData;

use super::RawLock;
use crate::{Params, Platform};

/// What a lock is called with: the calling vCPU's number, its platform, the lock's settings, and one accessor to the
/// [`RawLock::PerVcpu`] block of every vCPU.
pub struct Ctx<'a, L: RawLock, P: Platform> {
    me: usize,
    vcpus: usize,
    first: *const u8,
    stride: usize,
    params: &'a Params,
    platform: P,
    /// What [`mine`](Self::mine) computes.
    kept: *const u8,
    blocks: PhantomData<&'a L::PerVcpu>,
}

impl<'a, L: RawLock, P: Platform> Ctx<'a, L, P> {
    /// A context over blocks that lie `stride` bytes apart, in an arena or in an array.
    ///
    /// # Safety
    ///
    /// For every `cpu < params.vcpus`, `first + cpu * stride` must point to an initialised, aligned `L::PerVcpu` that lives
    /// for `'a` and is only ever reached through shared references; and `me < params.vcpus`.
    pub unsafe fn new(me: usize, params: &'a Params, first: *const u8, stride: usize, platform: P) -> Self {
        let kept = first.wrapping_add(me.wrapping_mul(stride));
        Self { me, vcpus: params.vcpus as usize, first, stride, params, platform, kept, blocks: PhantomData }
    }

    /// A context over a slice of blocks, for tests and models.
    ///
    /// # Panics
    ///
    /// If `me` is not a vCPU, or `blocks` are fewer than there are vCPUs.
    pub fn over(me: usize, blocks: &'a [L::PerVcpu], params: &'a Params, platform: P) -> Self {
        let vcpus = params.vcpus as usize;
        assert!(me < vcpus && vcpus <= blocks.len(), "vCPU {me} of {vcpus} over {} blocks", blocks.len());
        // SAFETY: a slice's elements lie one `size_of` apart, are initialised and live for 'a; the numbers were checked.
        unsafe { Self::new(me, params, blocks.as_ptr().cast(), size_of::<L::PerVcpu>(), platform) }
    }

    /// Turns to the blocks of another lock of the same kind. The next call must be one of that lock's.
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new), with the same stride.
    #[inline(always)]
    pub unsafe fn turn_to(&mut self, first: *const u8) {
        self.first = first;
        self.kept = first.wrapping_add(self.me.wrapping_mul(self.stride));
    }

    /// Number of the calling vCPU.
    #[inline(always)]
    pub fn me(&self) -> usize {
        self.me
    }

    /// How many vCPUs there are.
    #[inline(always)]
    pub fn vcpus(&self) -> usize {
        self.vcpus
    }

    /// The lock's settings, from lines that nobody writes: a waiter that read its threshold beside the lock's word would
    /// poll the line that everybody fights for.
    #[inline(always)]
    pub fn params(&self) -> &'a Params {
        self.params
    }

    /// Whether paravirtual code is compiled in and a hypervisor is there to use it.
    #[inline(always)]
    pub fn halting(&self) -> bool {
        P::PARAVIRT && self.params.hypervisor
    }

    /// The vCPU that the caller runs on.
    #[inline(always)]
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// The caller's own block.
    #[inline(always)]
    pub fn mine(&self) -> &'a L::PerVcpu {
        // SAFETY: `me < vcpus`, and `new`'s caller vouched for every such block.
        unsafe { &*self.first.add(self.me * self.stride).cast() }
    }

    /// The caller's own block, whose address is read and not computed. That is for a lock that hands the context's address to
    /// code that the compiler does not see: it would compute the address anew at every call. In any other lock the compiler
    /// computes it once.
    #[inline(always)]
    pub fn kept_mine(&self) -> &'a L::PerVcpu {
        // SAFETY: as in `mine`, which has the same address.
        unsafe { &*self.kept.cast() }
    }

    /// The block of vCPU `cpu`. A number that no vCPU has (only a broken lock makes one) gives the caller's own, so
    /// that this cannot read outside the arena and cannot panic either.
    #[inline(always)]
    pub fn of(&self, cpu: usize) -> &'a L::PerVcpu {
        let cpu = if cpu < self.vcpus { cpu } else { self.me };
        // SAFETY: `cpu < vcpus` holds on both branches, and `new`'s caller vouched for every such block.
        unsafe { &*self.first.add(cpu * self.stride).cast() }
    }
}
