//! Puts a cell's threads and memory where its placement says, and checks that they are there.

mod memory;

pub(super) use memory::Lies;

use std::thread::Builder;

use crate::Refusal;
use crate::cell::WindowSpec;
use crate::refusal::words;
use crate::topology::{Binder, CpuList, Outcome, PuIndex};

/// Binds through hwloc on the machine that we run on.
#[derive(Debug)]
pub struct Placer {
    binder: Binder,
}

impl Placer {
    /// Makes a placer for this machine.
    pub fn new(binder: Binder) -> Self {
        Self { binder }
    }

    /// Pins each vCPU's thread to its pCPU of these, or lets all threads float in the set. Returns where each was found to be.
    pub fn place_vcpus(
        &self,
        threads: &[u32],
        spec: &WindowSpec,
        pcpus: &[u32],
    ) -> Result<Vec<u32>, Refusal> {
        let floating = !spec.pinned();
        let set: CpuList = pcpus.iter().copied().collect();
        let mut placed = Vec::new();
        for (cpu, &tid) in threads.iter().enumerate() {
            let pcpu = pcpus[cpu % pcpus.len()];
            let outcome = if floating {
                self.binder.confine_thread(tid, &set)
            } else {
                self.binder.bind_thread(tid, PuIndex(pcpu))
            };
            match outcome {
                Outcome::Bound(_) if floating => {}
                Outcome::Bound(_) => placed.push(pcpu),
                // A CPU may come back online, or into the set that is allowed.
                refused @ Outcome::Failed(_) => {
                    return Err(Refusal::passing(format!("vCPU {cpu} {refused}")));
                }
                refused => return Err(format!("vCPU {cpu} {refused}").into()),
            }
        }
        Ok(placed)
    }

    /// A sentence if a thread may run elsewhere by now than where it was placed: its pins were changed, a CPU went offline, or a
    /// cpuset was changed.
    pub fn strayed(&self, threads: &[u32], spec: &WindowSpec) -> Option<String> {
        let set: CpuList = spec.axes.pcpus.iter().copied().collect();
        threads.iter().enumerate().find_map(|(cpu, &thread)| {
            let own: CpuList = [spec.pcpu_of(cpu)].into_iter().collect();
            let expected = if spec.pinned() { &own } else { &set };
            let now = self.binder.allowed(thread).ok()?;
            // The emulated hypervisor binds a vCPU that floats to one pCPU of the set after another.
            let moves = !spec.pinned() && spec.axes.values.scheduler.is_hypervisor();
            let same = (moves || now.len() == expected.len()) && now.iter().all(|pu| expected.contains(pu));
            (!same).then(|| {
                format!("vCPU {cpu} was bound to CPU {expected} and was found free to run on CPU {now}")
            })
        })
    }

    /// Whether a thread of this process can be pinned to `pcpu` at all, tried on a thread made for it.
    pub fn check(&self, pcpu: u32) -> Outcome {
        std::thread::scope(|scope| {
            let tried = Builder::new().spawn_scoped(scope, || self.binder.bind_current(PuIndex(pcpu)));
            match tried {
                Err(e) => Outcome::Failed(format!("no thread could be started to try it on: {}", words(&e))),
                Ok(tried) => {
                    tried.join().unwrap_or_else(|_| Outcome::Failed("the thread to try it on died".into()))
                }
            }
        })
    }
}
