//! Who is asking, and the way to every vCPU's block.

use core::marker::PhantomData;

use super::RawLock;
use crate::Platform;

/// What a lock is called with: the calling vCPU's number, its platform, and one accessor to the
/// [`RawLock::PerVcpu`] block of every vCPU.
pub struct Ctx<'a, L: RawLock, P: Platform> {
    me: usize,
    vcpus: usize,
    first: *const u8,
    stride: usize,
    platform: P,
    blocks: PhantomData<&'a L::PerVcpu>,
}

impl<'a, L: RawLock, P: Platform> Ctx<'a, L, P> {
    /// A context over blocks that lie `stride` bytes apart, in an arena or in an array.
    ///
    /// # Safety
    ///
    /// For every `cpu < vcpus`, `first + cpu * stride` must point to an initialised, aligned `L::PerVcpu` that lives
    /// for `'a` and is only ever reached through shared references; and `me < vcpus`.
    pub unsafe fn new(me: usize, vcpus: usize, first: *const u8, stride: usize, platform: P) -> Self {
        Self { me, vcpus, first, stride, platform, blocks: PhantomData }
    }

    /// A context over a slice of blocks, for tests and models.
    ///
    /// # Panics
    ///
    /// If `me` is not an index of `blocks`.
    pub fn over(me: usize, blocks: &'a [L::PerVcpu], platform: P) -> Self {
        assert!(me < blocks.len(), "vCPU {me} of {}", blocks.len());
        // SAFETY: a slice's elements lie one `size_of` apart, are initialised and live for 'a; `me` was checked.
        unsafe { Self::new(me, blocks.len(), blocks.as_ptr().cast(), size_of::<L::PerVcpu>(), platform) }
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

    /// The block of vCPU `cpu`. A number that no vCPU has (only a broken lock makes one) gives the caller's own, so
    /// that this cannot read outside the arena and cannot panic either.
    #[inline(always)]
    pub fn of(&self, cpu: usize) -> &'a L::PerVcpu {
        let cpu = if cpu < self.vcpus { cpu } else { self.me };
        // SAFETY: `cpu < vcpus` holds on both branches, and `new`'s caller vouched for every such block.
        unsafe { &*self.first.add(cpu * self.stride).cast() }
    }
}
