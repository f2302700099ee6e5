//! A vCPU and its host thread, which enters the guest, serves the doorbell and reports how the run ended.

use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use kvm_ioctls::{VcpuExit, VcpuFd};
use lockbench_reports::plain;

use super::bells::Bells;
use super::blame::blame;
use super::doorbell::{self, Ring};
use super::faults::{Frame, Ring0};
use super::symbols;
use crate::arena::Memory;
use crate::environments::doorbell::yield_thread;
use crate::environments::price;
use crate::environments::scheduled::{self, Thread};
use crate::shared_object;

/// A vCPU that is ready to enter the guest.
pub(super) struct Vcpu {
    pub(super) fd: VcpuFd,
    pub(super) cpu: usize,
    /// How many the machine has.
    pub(super) vcpus: usize,
    pub(super) ring0: Ring0,
    /// Addresses of its stack.
    pub(super) stack: Range<usize>,
    pub(super) bells: Bells,
    /// Set where the emulated hypervisor schedules the vCPU.
    pub(super) schedule: Option<Schedule>,
    /// What halts and kicks cost on top of their own price, in ticks.
    pub(super) price_ticks: u64,
}

/// What a vCPU that the emulated hypervisor schedules needs.
#[derive(Clone, Copy)]
pub(super) struct Schedule {
    /// The arena, whose blocks all vCPUs have.
    pub(super) memory: &'static Memory,
}

/// Is told what a vCPU does while it runs. Cells need no observer; the measurement of costs does.
pub(super) trait Observer {
    /// The guest is about to be entered.
    fn entering(&mut self) {}
    /// The vCPU halts.
    fn halting(&mut self) {}
    /// The vCPU rang the doorbell without a request. Returns whether to go on.
    fn rang(&mut self) -> bool {
        true
    }
}

impl Observer for () {}

/// How a vCPU's run ended.
#[derive(Debug)]
pub(super) enum RunEnd {
    /// The observer asked it to stop.
    Stopped,
    /// The guest, or KVM, failed: how, in plain words.
    Fault(String),
}

impl Vcpu {
    /// Runs the vCPU. Returns only if the observer stops it or it fails.
    pub(super) fn run(&mut self, observer: &mut impl Observer) -> RunEnd {
        if let Some(schedule) = self.schedule {
            let leave = NonNull::from(&mut self.fd.get_kvm_run().immediate_exit);
            scheduled::arrive_with_guest(schedule.memory.block(self.cpu), leave);
        }
        loop {
            observer.entering();
            if let Some(schedule) = self.schedule {
                let block = schedule.memory.block(self.cpu);
                // In this order: a signal that comes after the look makes KVM_RUN return at once.
                self.fd.set_kvm_immediate_exit(0);
                block.control.pause.obey(&Thread(block));
            }
            let why = match self.fd.run() {
                Ok(VcpuExit::MmioWrite(address, _)) => match doorbell::ring(address, self.vcpus) {
                    Some(Ring::Halt) => {
                        observer.halting();
                        self.halt();
                        continue;
                    }
                    Some(Ring::Yield) => {
                        self.give_way();
                        continue;
                    }
                    Some(Ring::Kick(target)) => {
                        self.kick(target);
                        continue;
                    }
                    Some(Ring::Nothing) if observer.rang() => continue,
                    Some(Ring::Nothing) => return RunEnd::Stopped,
                    Some(Ring::Fault) => return RunEnd::Fault(self.fault()),
                    None => format!("a store to guest-physical address {address:#x}, where no memory is"),
                },
                Ok(VcpuExit::MmioRead(address, _)) => {
                    format!("a load from guest-physical address {address:#x}, where no memory is")
                }
                Ok(VcpuExit::Shutdown) => {
                    "a triple fault (KVM_EXIT_SHUTDOWN): a fault that could not be delivered".into()
                }
                Ok(VcpuExit::InternalError) => self.internal_error(),
                Ok(VcpuExit::FailEntry(reason, _)) => {
                    format!("a failed entry, which the processor refused for reason {reason:#x}")
                }
                // A signal came; or KVM asks to try again.
                Ok(VcpuExit::Intr) => continue,
                Err(e) if e.errno() == libc::EINTR || e.errno() == libc::EAGAIN => continue,
                Ok(_) => {
                    format!(
                        "an exit that nothing asked for (KVM's number {})",
                        self.fd.get_kvm_run().exit_reason
                    )
                }
                Err(e) => format!("a failed KVM_RUN ({})", plain::words(&e.into())),
            };
            return RunEnd::Fault(format!(
                "vCPU {} left the guest by {why}; {}",
                self.cpu,
                self.whereabouts()
            ));
        }
    }

    fn halt(&self) {
        price::spend(self.price_ticks);
        match self.schedule {
            Some(schedule) => scheduled::halt_vcpu(schedule.memory.block(self.cpu)),
            None => self.bells.wait(self.cpu),
        }
    }

    /// A yield hypercall: the host's scheduler or the emulated hypervisor runs another vCPU, if one waits.
    fn give_way(&self) {
        match self.schedule {
            Some(schedule) => scheduled::yield_vcpu(schedule.memory.block(self.cpu)),
            None => yield_thread(),
        }
    }

    fn kick(&self, target: usize) {
        price::spend(self.price_ticks);
        match self.schedule {
            Some(schedule) => scheduled::kick_vcpu(schedule.memory.block(target)),
            None => self.bells.ring(target),
        }
    }

    /// A fault that the guest's own stub reported.
    fn fault(&self) -> String {
        let frame = self.ring0.frame(self.cpu);
        // What the code did comes first, for tables cut long reasons.
        let left = if frame.vector == 14 { shared_object::left(frame.rip, frame.cr2) } else { None };
        let seen = symbols::in_program(frame.rip) || shared_object::holds(frame.rip);
        let outside = if seen { None } else { symbols::owner(frame.rip) };
        let blamed = || blame(outside.as_deref(), &self.on_stack(&frame)).map(|why| why + "; ");
        let begin = left.map(|left| left + ": ").or_else(blamed).unwrap_or_default();
        let mut said =
            format!("vCPU {}: {begin}{}, at rip {}", self.cpu, frame.what(), symbols::place(frame.rip));
        if symbols::function(frame.rip).is_none()
            && let Some(caller) = self.caller(frame.rsp)
        {
            said += &format!(", called by {caller}");
        }
        if frame.vector == 14
            && frame.cr2 != frame.rip
            && let Some(owner) = symbols::owner(frame.cr2)
        {
            said += &format!("; the address is in {owner}");
        }
        said + " (exit: doorbell)"
    }

    /// The functions of the program that the fault came about in: the one that faulted, and those whose return addresses lie on the
    /// stack. What only looks like one may stand among them.
    fn on_stack(&self, frame: &Frame) -> Vec<String> {
        const WORDS: usize = 1024;
        let words =
            (frame.rsp as usize..self.stack.end).step_by(8).take(WORDS).filter(|at| self.stack.contains(at));
        // SAFETY: aligned words of this vCPU's stack, which stays mapped for good; volatile, for the guest wrote them. The vCPU is
        // outside.
        let word = |at: usize| unsafe { ptr::read_volatile(at as *const u64) };
        let words = words.filter(|at| at.is_multiple_of(8)).map(|at| word(at).wrapping_sub(1));
        let addresses: Vec<u64> = std::iter::once(frame.rip).chain(words).collect();
        symbols::functions(&addresses)
    }

    /// The function that the top of the stack would return to: whoever called what lies outside the program.
    fn caller(&self, rsp: u64) -> Option<String> {
        let rsp = rsp as usize;
        if !self.stack.contains(&rsp) || !rsp.is_multiple_of(8) {
            return None;
        }
        // SAFETY: an aligned word of this vCPU's stack, which stays mapped for good; volatile, for the guest wrote it. The
        // vCPU is outside.
        let back = unsafe { ptr::read_volatile(rsp as *const u64) };
        // One before, for a call may be its function's last instruction.
        symbols::function(back.wrapping_sub(1))
    }

    /// Where it stands after an exit that no stub reported. After a shutdown on AMD processors these are reset values.
    fn whereabouts(&self) -> String {
        match (self.fd.get_regs(), self.fd.get_sregs()) {
            (Ok(regs), Ok(sregs)) => {
                format!("rip {}, rsp {:#x}, cr2 {:#x}", symbols::place(regs.rip), regs.rsp, sregs.cr2)
            }
            _ => "its registers cannot be read".into(),
        }
    }

    fn internal_error(&mut self) -> String {
        // SAFETY: after KVM_EXIT_INTERNAL_ERROR this is the part of the union that KVM filled in; integers, all valid.
        let suberror = unsafe { self.fd.get_kvm_run().__bindgen_anon_1.internal.suberror };
        let name = match suberror {
            1 => "an instruction that KVM cannot emulate",
            2 => "a fault while another was delivered",
            3 => "an unexpected exit while an event was delivered",
            4 => "an exit reason that it does not know",
            _ => "it gives no reason",
        };
        format!("KVM's internal error {suberror} ({name})")
    }
}

/// Ends the cell's process and tells the parent why. Of several vCPUs that fail together the first speaks.
pub(super) fn crash(reason: String) -> ! {
    static SPEAKING: AtomicBool = AtomicBool::new(false);
    if !SPEAKING.swap(true, Relaxed) {
        crate::protocol::say(&crate::protocol::ChildReport::Crashed(reason));
        std::process::exit(2);
    }
    loop {
        std::thread::park();
    }
}
