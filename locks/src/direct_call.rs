//! A call site as boot-time patching leaves it: a direct call of a function out of line.

/// How the result of such a call is read.
#[cfg(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan)))]
mod returned {
    use crate::sync::Tickets;

    /// What a called function returned, out of the register that it came in.
    pub(crate) trait Returned {
        fn of(rax: u64) -> Self;
    }

    impl Returned for () {
        #[inline(always)]
        fn of(_: u64) -> Self {}
    }

    impl Returned for bool {
        #[inline(always)]
        fn of(rax: u64) -> Self {
            rax & 1 != 0
        }
    }

    impl Returned for Tickets {
        #[inline(always)]
        fn of(rax: u64) -> Self {
            Self { head: rax as u16, tail: (rax >> 16) as u16 }
        }
    }
}
#[cfg(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan)))]
pub(crate) use returned::Returned;

/// Calls `extern "C" fn(&A) -> R`, out of line and directly. The compiler's own call of a function of another crate goes
/// through the loader's table of addresses, which is an indirect call as an unpatched site has.
#[cfg(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan)))]
macro_rules! call {
    ($function:path, $argument:expr) => {{
        let rax: u64;
        // SAFETY: a call by the C convention of a function that takes one reference, which lives through the call. All registers
        // that the function may change are given up, and as the block does not say `nostack`, the stack is aligned for it.
        // What the function returns is in rax, and `Returned` reads as much of that as its type has.
        unsafe {
            core::arch::asm!(
                "call {}",
                sym $function,
                in("rdi") core::ptr::from_ref($argument),
                lateout("rax") rax,
                clobber_abi("C"),
            );
        }
        $crate::direct_call::Returned::of(rax)
    }};
}
#[cfg(not(all(target_arch = "x86_64", not(locks_loom), not(locks_tsan))))]
macro_rules! call {
    ($function:path, $argument:expr) => {
        $function($argument)
    };
}
pub(crate) use call;
