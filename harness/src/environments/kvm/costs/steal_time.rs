//! Self-test: whether steal time shows that two vCPUs share a pCPU.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use super::guest::{self, Notes};
use super::{machine, start};
use crate::Refusal;
use crate::environments::kvm::steal;

/// Enough for several timeslices each.
const LONGEST: Duration = Duration::from_millis(150);
/// Long enough to see the hint, if there is one: at any moment one of the two is off the pCPU.
const SHORTEST: Duration = Duration::from_millis(20);

/// Lets two vCPUs spin on `pcpu`. Tells how steal time was seen, and then whether the `preempted` byte was; or why not.
pub(super) fn test(pcpu: u32) -> Result<(String, Result<String, Refusal>), Refusal> {
    let notes = Notes::new()?;
    let (vm, vcpus) = machine(notes, &[guest::spin, guest::spin])?;
    for (vcpu, record) in vcpus.iter().zip(&notes.steal) {
        steal::register(&vm, vcpu, record)?;
    }
    // They spin until the process goes.
    for vcpu in vcpus {
        drop(start(vcpu, pcpu, ())?);
    }
    let began = Instant::now();
    let mut hinted = 0;
    loop {
        thread::sleep(Duration::from_micros(500));
        hinted += u32::from(notes.steal.iter().any(|record| record.preempted.load(Relaxed) & 0xff != 0));
        let stolen = notes.steal.iter().map(|record| record.steal_ns.load(Relaxed));
        let (least, waited) = (stolen.min().unwrap_or(0), began.elapsed());
        if least > 0 && (hinted > 0 || waited > SHORTEST) {
            let seen =
                format!("each of two vCPUs on one pCPU was told of {:.1} ms or more", least as f64 / 1e6);
            let hint = match hinted {
                0 => Err(format!(
                    "the host keeps no `preempted` byte: it stayed 0 for {:.0} ms while two vCPUs shared a \
                     pCPU; locks that ask whether a vCPU is preempted are told no",
                    waited.as_secs_f64() * 1e3
                )
                .into()),
                _ => Ok("the `preempted` byte was seen set on one of two vCPUs that shared a pCPU".into()),
            };
            return Ok((seen, hint));
        }
        if waited > LONGEST {
            return Err(format!(
                "two vCPUs shared a pCPU for {} ms and were told of no steal time",
                LONGEST.as_millis()
            )
            .into());
        }
    }
}
