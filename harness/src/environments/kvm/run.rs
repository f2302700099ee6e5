//! A vCPU's host thread while its vCPU runs: enters the guest, serves the doorbell, and tells how it ended.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use kvm_ioctls::{VcpuExit, VcpuFd};

use super::doorbell::{self, Ring};
use super::faults::Ring0;
use super::symbols;

/// What rings the doorbell does.
pub(super) trait Host {
    /// The vCPU halts: sleep until it is kicked.
    fn halt(&mut self);
    /// It kicks another.
    fn kick(&mut self, cpu: usize);
    /// It rang for nothing. Whether to go on.
    fn nothing(&mut self) -> bool {
        true
    }
    /// Called right before each entry.
    fn enter(&mut self) {}
}

/// How a vCPU's run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Its host had enough.
    Stopped,
    /// The guest, or KVM, failed: how, in plain words.
    Fault(String),
}

/// Runs vCPU `cpu` of `vcpus`.
pub(super) fn run(vcpu: &mut VcpuFd, cpu: usize, vcpus: usize, ring0: Ring0, host: &mut impl Host) -> Ended {
    loop {
        host.enter();
        let why = match vcpu.run() {
            Ok(VcpuExit::MmioWrite(address, _)) => match doorbell::ring(address, vcpus) {
                Some(Ring::Halt) => {
                    host.halt();
                    continue;
                }
                Some(Ring::Kick(target)) => {
                    host.kick(target);
                    continue;
                }
                Some(Ring::Nothing) if host.nothing() => continue,
                Some(Ring::Nothing) => return Ended::Stopped,
                Some(Ring::Fault) => return Ended::Fault(guest_fault(cpu, ring0)),
                None => format!("a store to guest-physical address {address:#x}, where no memory is"),
            },
            Ok(VcpuExit::MmioRead(address, _)) => {
                format!("a load from guest-physical address {address:#x}, where no memory is")
            }
            Ok(VcpuExit::Shutdown) => {
                "a triple fault (KVM_EXIT_SHUTDOWN): a fault, or a forbidden instruction, that could not be delivered".into()
            }
            Ok(VcpuExit::InternalError) => internal_error(vcpu),
            Ok(VcpuExit::FailEntry(reason, _)) => format!("the processor refused to enter it, hardware reason {reason:#x}"),
            // A signal came, or a vCPU of a machine that is being taken down: neither is the guest's doing.
            Err(e) if e.errno() == libc::EINTR || e.errno() == libc::EAGAIN => continue,
            Ok(VcpuExit::Intr) => continue,
            Ok(other) => format!("an exit that nothing asked for ({other:?})"),
            Err(e) => format!("KVM_RUN failed: {}", std::io::Error::from(e)),
        };
        return Ended::Fault(format!("vCPU {cpu} left the guest by {why}; {}", whereabouts(vcpu)));
    }
}

/// A fault that the guest's own stub reported.
fn guest_fault(cpu: usize, ring0: Ring0) -> String {
    let frame = ring0.frame(cpu);
    let mut said = format!("vCPU {cpu}: {}, at rip {}", frame.what(), symbols::place(frame.rip));
    if frame.vector == 14 && frame.cr2 != frame.rip {
        said += &symbols::owner(frame.cr2)
            .map_or_else(String::new, |owner| format!("; the address is in {owner}"));
    }
    said + " (exit: doorbell)"
}

/// Where a vCPU stands, for exits that no stub reported. After a shutdown on AMD these are reset values.
fn whereabouts(vcpu: &VcpuFd) -> String {
    match (vcpu.get_regs(), vcpu.get_sregs()) {
        (Ok(regs), Ok(sregs)) => {
            format!("rip {}, rsp {:#x}, cr2 {:#x}", symbols::place(regs.rip), regs.rsp, sregs.cr2)
        }
        _ => "its registers cannot be read".into(),
    }
}

fn internal_error(vcpu: &mut VcpuFd) -> String {
    // SAFETY: after KVM_EXIT_INTERNAL_ERROR this is the part of the union that KVM filled in; integers, all valid.
    let suberror = unsafe { vcpu.get_kvm_run().__bindgen_anon_1.internal.suberror };
    let name = match suberror {
        1 => "an instruction that KVM cannot emulate",
        2 => "a fault while it delivered another",
        3 => "an unexpected exit while an event was delivered",
        4 => "an exit reason unknown to it",
        _ => "reason unknown",
    };
    format!("KVM's internal error {suberror} ({name})")
}

/// Held by the thread that reports a crash, for ever: the first to fail speaks for the cell.
static SPEAKING: AtomicU32 = AtomicU32::new(0);

/// Ends the cell's process with its reason. Of several vCPUs that fail together one speaks.
pub(super) fn crash(reason: String) -> ! {
    if SPEAKING.swap(1, Relaxed) == 0 {
        crate::cell::child::say(&crate::cell::ChildReport::Crashed(reason));
        std::process::exit(2);
    }
    loop {
        std::thread::park();
    }
}
