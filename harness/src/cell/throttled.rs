//! Whether a CPU quota throttled a window's vCPUs: counted by the kernel where the quota can be seen, else inferred.

use std::time::Duration;

use lockbench_reports::record::{CpuQuota, Throttling};

use super::WindowSpec;
use crate::measure::idle;
use crate::system::quota::{Counted, Quotas, in_words};

/// Readings of the control groups before the vCPUs ran, and of their pCPUs' idle times when the window opened.
pub(super) struct Throttle {
    quotas: Quotas,
    tightest: Option<CpuQuota>,
    counted: Option<Counted>,
    idle: Option<Vec<u64>>,
}

impl Throttle {
    /// Reads the control groups; call before the vCPUs run.
    pub(super) fn start(quotas: &Quotas) -> Self {
        let quotas = quotas.anew();
        Self { tightest: quotas.tightest(), counted: quotas.counted(), quotas, idle: None }
    }

    /// Reads the idle times; call when the window opens.
    pub(super) fn open(&mut self, spec: &WindowSpec) {
        // Floating vCPUs may leave a pCPU idle, and so does a quota that was asked for.
        let busy = spec.pinned() && spec.axes.values.scheduler.quota().is_none();
        self.idle = if busy { idle::ticks(&spec.axes.pcpus) } else { None };
    }

    /// A sentence if the quota was changed since then.
    pub(super) fn changed(&self) -> Option<String> {
        let words = |quota: &Option<CpuQuota>| quota.as_ref().map_or_else(|| "none".into(), in_words);
        let now = self.quotas.tightest();
        (now != self.tightest)
            .then(|| format!("the CPU quota was changed from {} to {}", words(&self.tightest), words(&now)))
    }

    /// How the quota throttled the vCPUs, of which those of `awake` never slept; none if it did not.
    pub(super) fn close(&self, spec: &WindowSpec, awake: &[bool]) -> Option<Throttling> {
        let now = self.quotas.counted();
        let gained = self.counted.zip(now).map(|(before, now)| Counted {
            periods: now.periods.saturating_sub(before.periods),
            taken_ns: now.taken_ns.saturating_sub(before.taken_ns),
        });
        let Counted { periods, taken_ns } = gained.unwrap_or_default();
        let idled = idle::since(self.idle.as_deref(), &spec.axes.pcpus);
        let idle_ns = idled
            .and_then(|idled| idled_in_vain(&spec.axes.pcpus, |cpu| spec.pcpu_of(cpu), &idled, awake))
            .map_or(0, |t| t.as_nanos() as u64);
        let throttling = Throttling { periods, taken_ns, idle_ns };
        (throttling != Throttling::default()).then_some(throttling)
    }
}

/// The longest time for which a pCPU idled though one of its vCPUs never slept.
fn idled_in_vain(
    pcpus: &[u32],
    pcpu_of: impl Fn(usize) -> u32,
    idled: &[Option<Duration>],
    awake: &[bool],
) -> Option<Duration> {
    let in_vain = pcpus.iter().zip(idled).filter_map(|(&pcpu, idled)| {
        let of_it = |(cpu, awake): (usize, &bool)| *awake && pcpu_of(cpu) == pcpu;
        idled.filter(|_| awake.iter().enumerate().any(of_it))
    });
    in_vain.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pcpu_that_idles_beside_a_vcpu_that_never_sleeps_tells_of_a_quota() {
        let ms = |ms| Some(Duration::from_millis(ms));
        // Four vCPUs on two pCPUs, in turns.
        let in_vain = |idled: [Option<Duration>; 2], awake| {
            idled_in_vain(&[4, 7], |cpu| [4, 7][cpu % 2], &idled, awake)
        };
        assert_eq!(in_vain([ms(80), ms(50)], &[true; 4]), ms(80));
        assert_eq!(in_vain([ms(80), ms(50)], &[false, true, false, true]), ms(50), "CPU 4 had nobody to run");
        assert_eq!(in_vain([ms(80), None], &[false, true, false, true]), None, "CPU 7 was busy");
        assert_eq!(in_vain([ms(80), ms(50)], &[false; 4]), None, "of locks that sleep nothing is known");
    }
}
