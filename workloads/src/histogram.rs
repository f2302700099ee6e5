//! The log-linear scale on which durations are counted: 32 steps to an octave, so a bucket is at most 3.2 % wide.

/// Base-2 logarithm of the number of linear steps per octave.
const STEP_BITS: u32 = 5;
const STEPS: u64 = 1 << STEP_BITS;
/// Durations of 2^OCTAVES ticks and more share the last bucket (2^43 ticks are about an hour).
const OCTAVES: u32 = 43;

/// Number of buckets.
pub const BUCKETS: usize = ((OCTAVES - STEP_BITS + 1) as usize) << STEP_BITS;

/// The bucket of a duration in ticks.
#[inline(always)]
pub const fn bucket(ticks: u64) -> usize {
    if ticks < STEPS {
        return ticks as usize;
    }
    let octave = 63 - ticks.leading_zeros();
    if octave >= OCTAVES {
        return BUCKETS - 1;
    }
    let shift = octave - STEP_BITS;
    (((shift + 1) as usize) << STEP_BITS) + ((ticks >> shift) & (STEPS - 1)) as usize
}

/// The smallest duration, in ticks, that falls into `bucket`.
pub const fn lower_bound(bucket: usize) -> u64 {
    if bucket == 0 { 0 } else { upper_bound(bucket - 1) + 1 }
}

/// The largest duration, in ticks, that falls into `bucket`.
pub const fn upper_bound(bucket: usize) -> u64 {
    let row = (bucket >> STEP_BITS) as u32;
    let step = bucket as u64 & (STEPS - 1);
    if row == 0 { step } else { ((STEPS + step + 1) << (row - 1)) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_its_bucket_and_buckets_are_narrow() {
        let mut ticks = 0_u64;
        while ticks < 1 << OCTAVES {
            let b = bucket(ticks);
            assert!(b < BUCKETS);
            assert!(ticks <= upper_bound(b), "{ticks} above the bound of its bucket");
            assert!(b == 0 || ticks > upper_bound(b - 1), "{ticks} belongs one bucket lower");
            assert!(upper_bound(b) - ticks <= ticks / 31);
            ticks += 1 + ticks / 7;
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
