//! What a halted vCPU's host thread sleeps on: an eventfd each, which keeps a kick that comes before the sleep.
//!
//! KVM writes to it itself when the guest kicks (an ioeventfd), so that the kicker never leaves the kernel; where KVM
//! refuses, the kick exits to the kicker's host thread, which writes. On software KVM (pvm, beneath another hypervisor) a
//! kick until the other runs took 37 to 59 us by ioeventfd and 49 to 71 us by exit, medians of 200 each, and the ioeventfd
//! was the faster in all of six pairs. On hardware expect about 5 us, and 1 us more by exit.

use std::io;
use std::sync::Arc;

use kvm_ioctls::{IoEventAddress, NoDatamatch, VmFd};
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EventFd};

use super::doorbell;

/// One bell per vCPU.
#[derive(Clone)]
pub(super) struct Bells(Arc<[EventFd]>);

impl Bells {
    /// Bells for so many vCPUs.
    pub(super) fn new(vcpus: usize) -> io::Result<Self> {
        (0..vcpus).map(|_| EventFd::new(EFD_CLOEXEC)).collect::<io::Result<_>>().map(Self)
    }

    /// Makes KVM ring the bells. Any store to the address counts, whatever its length or value, which is the fastest match.
    pub(super) fn wire(&self, vm: &VmFd) -> Result<(), kvm_ioctls::Error> {
        self.0.iter().enumerate().try_for_each(|(cpu, bell)| {
            vm.register_ioevent(bell, &IoEventAddress::Mmio(doorbell::kick_phys(cpu)), NoDatamatch)
        })
    }

    /// Sleeps until `cpu`'s bell rings, or has rung since the last time.
    pub(super) fn wait(&self, cpu: usize) {
        // EINTR ends the sleep early, which a halt may.
        let _ = self.0[cpu].read();
    }

    /// Rings it.
    pub(super) fn ring(&self, cpu: usize) {
        let _ = self.0[cpu].write(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmm_sys_util::eventfd::EFD_NONBLOCK;

    #[test]
    fn a_ring_is_kept_for_the_next_sleep_and_for_no_other() {
        let bells = Bells([EventFd::new(EFD_NONBLOCK).unwrap()].into());
        bells.ring(0);
        bells.ring(0);
        assert!(bells.0[0].read().is_ok(), "it rang before");
        assert_eq!(bells.0[0].read().unwrap_err().kind(), io::ErrorKind::WouldBlock, "two rings wake once");
    }
}
