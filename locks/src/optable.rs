//! Function pointers kept in memory that the compiler cannot see through.

use core::marker::PhantomData;

use crate::sync::{AtomicPtr, Ordering};

/// One entry of a lock's table of operations, `extern "C" fn(&A) -> R`, as the kernel's pv-ops had them.
///
/// An optimiser that saw how the lock was made could replace a plain field by the function. An atomic in shared memory may
/// have been changed by any thread, so each call loads it and jumps where it points, which is the cost to be measured.
/// `extern "C"`, which cannot unwind: a call that might would drag the panic machinery into leaf code.
#[derive(Debug)]
pub(crate) struct Op<A, R> {
    function: AtomicPtr<()>,
    signature: PhantomData<extern "C" fn(&A) -> R>,
}

impl<A, R> Op<A, R> {
    pub(crate) fn new(function: extern "C" fn(&A) -> R) -> Self {
        Self { function: AtomicPtr::new(function as *mut ()), signature: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn call(&self, argument: &A) -> R {
        // Relaxed: written once, before the lock was shared.
        let function = self.function.load(Ordering::Relaxed);
        // SAFETY: only `new` writes the pointer, from a function of this very type.
        let function = unsafe { core::mem::transmute::<*mut (), extern "C" fn(&A) -> R>(function) };
        function(argument)
    }
}
