//! Busy work of a known length, for sections and think times.

/// [`burn`] as a function of its own, compiled in this crate as the workers are: timing it times what they execute, in every
/// build profile.
#[inline(never)]
pub fn burn_apart(seed: u64, iterations: u32) -> u64 {
    burn(seed, iterations)
}

/// Takes `iterations` dependent steps and returns their result. The caller must store it, or the compiler may drop the loop.
/// A step costs the same whatever the value, and touches no memory.
#[inline(always)]
pub fn burn(seed: u64, iterations: u32) -> u64 {
    // xorshift64 (Marsaglia 2003): a chain that no compiler folds, without multiplications whose latency differs
    // between processors. A zero seed would stay zero and so be foldable.
    let mut x = seed | 1;
    for _ in 0..iterations {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    x
}
