//! A virtual machine: the program's own memory, page tables, a page of ring 0 and a stack for each vCPU.

use std::ops::Range;

use kvm_bindings::CpuId;
use kvm_ioctls::VmFd;

use super::bells::Bells;
use super::entry::GuestEntry;
use super::faults::Ring0;
use super::guest_memory::GuestMemory;
use super::page_tables::Access;
use super::pages::{PAGE, pages};
use super::vcpu::Vcpu;
use super::{device, doorbell, entry, program};
use crate::Refusal;

/// Pages of a vCPU's stack; a worker has one frame. Below each lies a page that is not mapped, so that an overflow faults.
const STACK_PAGES: usize = 16;
const STACK: usize = (1 + STACK_PAGES) * PAGE;

/// A machine whose vCPUs can be made.
pub(super) struct Vm {
    fd: VmFd,
    memory: GuestMemory,
    ring0: Ring0,
    stacks: Range<usize>,
    cpuid: CpuId,
    bells: Bells,
    vcpus: usize,
}

/// A function of the program to run in the guest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) function: usize,
    pub(super) arguments: [u64; 2],
}

impl Vm {
    /// A machine for `vcpus` vCPUs that run text near `function`; it sees the program and `shared`, which must be whole
    /// pages that stay mapped for good.
    pub(super) fn new(
        vcpus: usize,
        function: usize,
        shared: impl IntoIterator<Item = (Range<usize>, Access)>,
    ) -> Result<Self, Refusal> {
        let kvm = device::open()?;
        let most = kvm.get_max_vcpus();
        if vcpus > most {
            return Err(format!("KVM gives a virtual machine at most {most} vCPUs here").into());
        }
        device::allow_descriptors(3 * vcpus as u64 + 64);
        let fd = device::create_vm(&kvm)?;
        let no_memory =
            |e: std::io::Error| Refusal::of(format!("{vcpus} vCPUs could not be given memory"), e);
        let ring0 = Ring0::new(vcpus).map_err(no_memory)?;
        let stacks = pages(vcpus * STACK / PAGE).map_err(no_memory)?.as_ptr_range();
        let stacks = stacks.start as usize..stacks.end as usize;

        let program = program::parts(function)?;
        let mut seen: Vec<(Range<usize>, Access)> =
            program.into_iter().map(|part| (part.range, part.access)).collect();
        seen.extend(shared);
        seen.push((ring0.range(), Access::Supervisor));
        let bytes = stacks.len() + seen.iter().map(|(range, _)| range.len()).sum::<usize>();
        // The stacks count one by one, with the doorbell.
        let mut memory = GuestMemory::new(&fd, seen.len() + 2, bytes)?;
        for (range, access) in seen {
            memory.give(&fd, range.clone())?;
            memory.map(range, access)?;
        }
        memory.give(&fd, stacks.clone())?;
        for guard in stacks.clone().step_by(STACK) {
            memory.map(guard + PAGE..guard + STACK, Access::Data)?;
        }
        memory.map_device(doorbell::VIRT, doorbell::PHYS, doorbell::len(vcpus))?;
        let bells = Bells::new(vcpus)
            .map_err(|e| Refusal::of(format!("{vcpus} vCPUs could not be given an eventfd each"), e))?;
        Ok(Self { fd, memory, ring0, stacks, cpuid: entry::cpuid(&kvm)?, bells, vcpus })
    }

    /// Makes KVM serve kicks itself where it can. Where it cannot, kicks exit to the kicker's host thread.
    pub(super) fn wire_kicks(&self) -> bool {
        self.bells.wire(&self.fd).is_ok()
    }

    /// vCPU `cpu`, about to run `task`.
    pub(super) fn vcpu(&self, cpu: usize, task: Task) -> Result<Vcpu, Refusal> {
        let fd =
            self.fd.create_vcpu(cpu as u64).map_err(|e| Refusal::of(format!("KVM refused vCPU {cpu}"), e))?;
        let bottom = self.stacks.start + cpu * STACK;
        let stack = bottom + PAGE..bottom + STACK;
        let entry = GuestEntry { function: task.function, arguments: task.arguments, stack_top: stack.end };
        entry::prepare(&fd, cpu, &self.cpuid, self.memory.root(), &self.ring0, entry)?;
        Ok(Vcpu {
            fd,
            cpu,
            vcpus: self.vcpus,
            ring0: self.ring0,
            stack,
            bells: self.bells.clone(),
            schedule: None,
            price_ticks: 0,
        })
    }

    /// Guest-physical address of memory that the guest sees.
    pub(super) fn phys(&self, address: usize) -> Option<u64> {
        self.memory.phys(address)
    }
}
