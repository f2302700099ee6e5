//! /dev/kvm: whether it can be used, and what to do where it cannot.

use std::io;

use kvm_ioctls::{Cap, Kvm, VmFd};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Refusal;

/// The API's version, the same since Linux 2.6.22.
const API: i32 = 12;

/// Opens it; an error says what to do.
pub(super) fn open() -> Result<Kvm, Refusal> {
    let kvm = Kvm::new().map_err(|e| refusal(e.into()))?;
    let api = kvm.get_api_version();
    match api {
        API => {}
        ..0 => {
            return Err(
                "/dev/kvm is there but is no KVM: load kvm_intel or kvm_amd, and let udev make the device"
                    .to_owned()
                    .into(),
            );
        }
        other => {
            return Err(format!(
                "/dev/kvm speaks version {other} of its API, where version {API} is needed: use a mainline kernel"
            )
            .into());
        }
    }
    let needed = [
        (Cap::UserMemory, "guest memory from user space (KVM_CAP_USER_MEMORY)"),
        (Cap::ExtCpuid, "CPUID for guests (KVM_CAP_EXT_CPUID)"),
        (Cap::Xcrs, "extended processor state for guests (KVM_CAP_XCRS)"),
    ];
    match needed.iter().find(|(cap, _)| !kvm.check_extension(*cap)) {
        Some((_, what)) => Err(format!("this kernel's KVM lacks {what}: use a newer kernel").into()),
        None => Ok(kvm),
    }
}

/// Three pages below 4 GiB that Intel processors without unrestricted guests need for themselves; others ignore them.
const INTELS_OWN: usize = 0xfffb_d000;

/// A new machine, with nothing in it.
pub(super) fn create_vm(kvm: &Kvm) -> Result<VmFd, Refusal> {
    // EINTR: making a machine takes locks that a signal may interrupt.
    for _ in 0..100 {
        match kvm.create_vm() {
            Err(e) if e.errno() == libc::EINTR => continue,
            Err(e) => return Err(Refusal::of("KVM made no virtual machine", e)),
            Ok(vm) => {
                let _ = vm.set_tss_address(INTELS_OWN);
                return Ok(vm);
            }
        }
    }
    Err(Refusal::passing("KVM made no virtual machine: signals kept interrupting it"))
}

/// Raises the limit of open files towards `needed`, as far as this user may: a vCPU has two.
pub(super) fn allow_descriptors(needed: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let wanted = limit.maximum.map_or(needed, |most| most.min(needed));
        // Where this fails, so will the vCPU that is one too many, and that says so.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit });
    }
}

fn refusal(e: io::Error) -> Refusal {
    let reason = match e.kind() {
        io::ErrorKind::NotFound => {
            "there is no /dev/kvm: load kvm_intel or kvm_amd, and switch on virtualisation in the firmware, or nested \
             virtualisation in the hypervisor beneath this machine"
                .to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            let group = rustix::fs::stat("/dev/kvm").map(|stat| stat.st_gid).ok();
            let group = group.map_or_else(String::new, |gid| format!(" (group id {gid})"));
            format!("/dev/kvm may not be opened by this user: join its group{group}, usually `sudo usermod -aG kvm $USER`, and log in again")
        }
        _ if e.raw_os_error() == Some(libc::ENODEV) || e.raw_os_error() == Some(libc::ENXIO) => {
            "/dev/kvm is there but nothing is behind it: load kvm_intel or kvm_amd".into()
        }
        _ => return Refusal::of("/dev/kvm cannot be opened", e),
    };
    Refusal::from(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do() {
        for (errno, advice) in
            [(libc::ENOENT, "kvm_intel"), (libc::EACCES, "usermod"), (libc::ENODEV, "load")]
        {
            let said = refusal(io::Error::from_raw_os_error(errno));
            assert!(said.reason.contains(advice) && !said.passing, "{said:?}");
        }
    }
}
