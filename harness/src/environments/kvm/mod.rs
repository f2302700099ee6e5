//! kvm: a vCPU is one of KVM's, entered in ring 3 on this program's own machine code.
//!
//! The cell's process makes one virtual machine ([`vm`]). Its guest has no kernel and no image: it sees the running
//! program's own text, constants and data ([`program`]) and the arena, at the very addresses they have in the process
//! ([`guest_memory`], [`page_tables`]). Each vCPU starts in 64-bit mode, ring 3, at the first instruction of the worker
//! ([`entry`]), on a stack of its own, and is run by a host thread ([`vcpu`]) that the parent pins like any other. It leaves
//! only through the doorbell ([`doorbell`], [`bells`]): to halt, to kick, to yield, and to report a fault, for which a few stubs
//! stand in ring 0 ([`faults`], [`symbols`]). Steal time comes from KVM's own record ([`steal`]). The machine is never torn down: the
//! parent kills the process, and the kernel removes the machine with it.

mod bells;
mod blame;
mod costs;
mod device;
mod doorbell;
mod entry;
mod faults;
mod guest_memory;
mod page_tables;
mod pages;
mod program;
mod steal;
mod symbols;
mod vcpu;
mod vm;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use lockbench_reports::record::Machine;
use lockbench_workloads::arena::Plan;
use page_tables::Access;

use super::{Environment, scheduled, thread};
use crate::Refusal;
use crate::protocol::Cell;
use crate::shared_object;

pub(crate) use costs::VERB;

/// Real vCPUs.
pub(super) struct Kvm;

impl Environment for Kvm {
    fn name(&self) -> &'static str {
        "kvm"
    }

    fn about(&self) -> &'static str {
        "a vCPU is a real one, in ring 3 on the same code; halt is a store that exits to its sleeping host thread"
    }

    fn check(&self) -> Result<(), Refusal> {
        device::open().map(drop)
    }

    fn examine(&self, machine: &mut Machine, pcpus: &[u32]) {
        costs::examine(machine, pcpus);
    }

    fn counts_preemptions_by(&self) -> &'static str {
        "steal-time"
    }

    fn hints_by(&self) -> Option<&'static str> {
        Some("preempted-hint")
    }

    fn hypervisor(&self) -> bool {
        true
    }

    fn needs_leaf(&self) -> bool {
        true
    }

    fn start(&self, cell: Cell) -> Result<(), Refusal> {
        let (memory, worker) = (cell.memory, cell.entry.run as usize);
        let arena = memory.as_ptr() as usize;
        // The plan is read-only here, as it is in the process: KVM's writes would fail, the guest's fault.
        let plan = arena..arena + size_of::<Plan>();
        let rest = plan.end..arena + memory.bytes();
        let mut shared = vec![(plan, Access::Constants), (rest, Access::Data)];
        // A lock of a shared object: its text, constants and data, at the addresses that they have in the process.
        if let Some(loaded) = shared_object::loaded() {
            shared
                .extend(program::between(&loaded.extent)?.into_iter().map(|part| (part.range, part.access)));
        }
        let vm = vm::Vm::new(memory.vcpus(), worker, shared)?;
        let price_ticks = memory.plan().kick_cost_ticks;
        match cell.board {
            // Every kick exits to the kicker's host thread, which tells the hypervisor.
            Some(board) => scheduled::obey(board)?,
            // A kick that KVM serves itself cannot be made to cost more.
            None if price_ticks > 0 => {}
            None => drop(vm.wire_kicks()),
        }
        for cpu in 0..memory.vcpus() {
            let mut vcpu =
                vm.vcpu(cpu, vm::Task { function: worker, arguments: [arena as u64, cpu as u64] })?;
            vcpu.price_ticks = price_ticks;
            let block = memory.block(cpu);
            // SAFETY: written once, here, before the vCPU's thread exists; read by its worker, later.
            unsafe {
                *block.env.halt.get() = Some(doorbell::halt);
                *block.env.kick.get() = Some(doorbell::kick);
                *block.env.give_way.get() = Some(doorbell::give_way);
                // Kicks cannot be forgotten: that would cost an exit in every wait, to save a few halts that return at once.
            }
            if cell.board.is_some() {
                vcpu.schedule = Some(vcpu::Schedule { memory });
                scheduled::hint(block);
                if cell.count_preemptions {
                    scheduled::watch(block);
                }
            } else if steal::register(&vm, &vcpu, &block.steal).is_ok() {
                steal::hint(block);
                if cell.count_preemptions {
                    steal::watch(block);
                }
            }
            thread::spawn(memory, cpu, move || {
                move || match vcpu.run(&mut ()) {
                    vcpu::RunEnd::Stopped => {}
                    vcpu::RunEnd::Fault(reason) => vcpu::crash(reason),
                }
            })?;
        }
        // The machine lives on in its vCPUs.
        Ok(())
    }
}

/// The process in which [`costs`] are measured, under [`VERB`].
pub(crate) fn examining_process() -> ExitCode {
    costs::main()
}
