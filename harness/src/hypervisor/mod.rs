//! The emulated hypervisor: it decides which vCPU runs on which pCPU, for threads and real vCPUs alike.
//!
//! It lives in the parent, beside the processes of the virtual machines, because one schedule covers all of them. One thread
//! for each pCPU ([`dispatcher`]) sleeps until a timeslice ends or its lane of the [`Board`](crate::arena::Board) is rung. It
//! then asks the [`policy`] who is to run, pauses the vCPU that runs and resumes the other one ([`vcpu`]), and notes the
//! stretch in the [`log`]. Policies are plain state machines over virtual time: their tests need no threads. Where a guest schedules
//! threads on its vCPUs, a thread is here what a vCPU is elsewhere.

mod dispatcher;
pub(crate) mod log;
pub(crate) mod policy;
mod vcpu;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;

pub(crate) use dispatcher::Fault;
pub(crate) use vcpu::{PAUSE_SIGNAL, Vcpu};

use lockbench_reports::record::Moved;

use crate::Refusal;
use crate::arena::Board;
use dispatcher::{Common, Dispatcher};
use log::Lane;
use policy::Policy;

/// A running hypervisor. Its threads end when it is stopped or dropped.
pub(crate) struct Hypervisor {
    board: Arc<Board>,
    stop: Arc<AtomicBool>,
    common: Arc<Common>,
    dispatchers: Vec<JoinHandle<Lane>>,
}

impl Hypervisor {
    /// Starts to schedule `vcpus`, all of which are held and have a thread, on the pCPUs with these operating-system indices.
    /// Each pCPU has the lane of the board, and the number in the policy, that it has in `pcpus`. `homes` has the lane of the
    /// pCPU that each vCPU is placed on, where it arrives.
    pub(crate) fn start(
        policy: Box<dyn Policy>,
        vcpus: Vec<Vcpu>,
        homes: Vec<usize>,
        pcpus: &[u32],
        board: Arc<Board>,
        ticks_per_ns: f64,
    ) -> Result<Self, Refusal> {
        let stop = Arc::new(AtomicBool::new(false));
        // A vCPU that floats may be anywhere; it is moved again only when it gets another pCPU than that of its home.
        for (vcpu, &home) in vcpus.iter().zip(&homes) {
            vcpu.move_to(pcpus[home]);
        }
        let common = Arc::new(Common::new(policy, vcpus, homes, ticks_per_ns));
        let mut hypervisor = Self {
            board: board.clone(),
            stop: stop.clone(),
            common: common.clone(),
            dispatchers: Vec::new(),
        };
        for (lane, &pcpu) in pcpus.iter().enumerate() {
            let dispatcher =
                Dispatcher { lane, pcpu, board: board.clone(), stop: stop.clone(), common: common.clone() };
            let thread = std::thread::Builder::new()
                .name(format!("hypervisor {pcpu}"))
                .spawn(move || dispatcher.run())
                .map_err(|e| Refusal::of("a thread of the hypervisor could not be started", e))?;
            hypervisor.dispatchers.push(thread);
        }
        Ok(hypervisor)
    }

    /// Says that the window opened at this time of the monotonic clock, from which plans count.
    pub(crate) fn open(&self, at_ns: u64) {
        self.common.open(at_ns);
        self.ring_all();
    }

    /// What was planned and has happened so far.
    pub(crate) fn moved(&self) -> Vec<Moved> {
        self.common.moved()
    }

    /// Ends the schedule: vCPUs stay as they are. The lanes' logs are in the order of the pCPUs.
    pub(crate) fn stop(mut self) -> Vec<Lane> {
        self.tell_to_stop();
        let died =
            || Lane { fault: Some(Fault("a thread of the hypervisor died".into())), ..Lane::default() };
        self.dispatchers.drain(..).map(|dispatcher| dispatcher.join().unwrap_or_else(|_| died())).collect()
    }

    fn tell_to_stop(&self) {
        self.stop.store(true, Relaxed);
        self.ring_all();
    }

    fn ring_all(&self) {
        for lane in 0..self.dispatchers.len() {
            self.board.ring(lane);
        }
    }
}

impl Drop for Hypervisor {
    fn drop(&mut self) {
        self.tell_to_stop();
        for dispatcher in self.dispatchers.drain(..) {
            let _ = dispatcher.join();
        }
    }
}
