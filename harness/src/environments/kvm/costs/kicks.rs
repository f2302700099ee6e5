//! Measures the time from a kick to the next instruction of the kicked vCPU, which sleeps.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::guest::{self, Notes};
use super::{machine, start};
use crate::Refusal;
use crate::environments::kvm::vcpu::{Observer, RunEnd};

const KICKS: usize = 100;
/// Time from the sleeper's note that it is about to sleep until it sleeps.
const ASLEEP: Duration = Duration::from_micros(60);

/// How the kick gets to the sleeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// KVM rings the bell itself.
    Event,
    /// The kicker exits, and its host thread rings.
    Exit,
}

/// Counts how often the kicked vCPU was about to sleep.
struct Kicked {
    notes: &'static Notes,
    halts: Arc<AtomicUsize>,
    ticks: mpsc::Sender<u64>,
}

impl Observer for Kicked {
    fn halting(&mut self) {
        if self.halts.load(SeqCst) > 0 {
            // The receiver is gone once the kicker has stopped.
            let _ = self.ticks.send(self.notes.came().wrapping_sub(self.notes.left()));
        }
        self.halts.fetch_add(1, SeqCst);
    }
}

/// Holds the kicker back until the other sleeps.
struct Kicker {
    halts: Arc<AtomicUsize>,
    kicked: usize,
}

impl Observer for Kicker {
    fn rang(&mut self) -> bool {
        while self.halts.load(SeqCst) == self.kicked {
            thread::sleep(ASLEEP / 2);
        }
        thread::sleep(ASLEEP);
        self.kicked += 1;
        self.kicked <= KICKS
    }
}

/// Ticks of each kick, between vCPUs on these pCPUs.
pub(super) fn measure(way: Way, (here, there): (u32, u32)) -> Result<Vec<u64>, Refusal> {
    let notes = Notes::new()?;
    let (vm, mut vcpus) = machine(notes, &[guest::kick, guest::halt])?;
    if way == Way::Event && !vm.wire_kicks() {
        return Ok(Vec::new());
    }
    let halts = Arc::new(AtomicUsize::new(0));
    let (ticks, received) = mpsc::channel();
    let kicked = Kicked { notes, halts: halts.clone(), ticks };
    let (Some(sleeper), Some(kicker)) = (vcpus.pop(), vcpus.pop()) else { return Err("no vCPUs".into()) };
    // It sleeps for good in the end, until the process goes.
    drop(start(sleeper, there, kicked)?);
    match start(kicker, here, Kicker { halts, kicked: 0 })?.join() {
        Ok(RunEnd::Stopped) => Ok(received.try_iter().collect()),
        Ok(RunEnd::Fault(why)) => Err(why.into()),
        Err(_) => Err("the kicker's thread died".into()),
    }
}
