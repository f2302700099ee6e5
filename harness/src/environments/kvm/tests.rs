//! Guests of a few instructions, on whatever KVM there is.

use std::arch::naked_asm;
use std::mem::offset_of;

use lockbench_workloads::arena::Header;

use super::doorbell::{self, RING_VIRT};
use super::page_tables::Access;
use super::pages::{PAGE, Page, pages};
use super::vcpu::{Observer, RunEnd, Vcpu};
use super::vm::{Task, Vm};
use super::{costs, device, entry};

type Function = unsafe extern "C" fn();

/// Whether there is no KVM to test on, which it prints.
fn skipped() -> bool {
    let refusal = device::open().err();
    if let Some(why) = &refusal {
        eprintln!("skipped, for there is no KVM here: {why}");
    }
    refusal.is_some()
}

/// Stops a vCPU that rings.
struct UntilItRings;

impl Observer for UntilItRings {
    fn rang(&mut self) -> bool {
        false
    }
}

/// A machine whose only vCPU is about to run `function` on a page.
fn guest(function: Function) -> (Vm, Vcpu, &'static mut Page) {
    let page = &mut pages(1).unwrap()[0];
    let start = std::ptr::from_ref(page) as usize;
    let vm = Vm::new(1, function as usize, [(start..start + PAGE, Access::Data)]).unwrap();
    let vcpu = vm.vcpu(0, Task { function: function as usize, arguments: [start as u64, 0] }).unwrap();
    (vm, vcpu, page)
}

/// A function of so many instructions, which must end in a fault.
macro_rules! function {
    ($name:ident: $($instruction:expr),+) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            naked_asm!($($instruction),+)
        }
    };
}

function!(stores_nowhere: "movabs rax, 0x123450000000", "mov dword ptr [rax], 1");
function!(stores_to_text: "lea rax, [rip]", "mov dword ptr [rax], 1");
function!(loads_from_no_address: "movabs rax, 0xdead000000000000", "mov eax, [rax]");
function!(traps: "ud2");
function!(returns: "ret");
function!(jumps_to_its_stack: "jmp rsp");
function!(calls_nowhere: "movabs rax, 0x123450000000", "call rax");
function!(overflows_its_stack: "2:", "push rax", "jmp 2b");
function!(switches_interrupts_off: "cli");
function!(halts: "hlt");
function!(writes_to_a_port: "out 0x80, al");
function!(divides_by_zero: "xor ecx, ecx", "div ecx");
function!(breaks: "int3");
function!(reaches_for_thread_locals: "mov rax, fs:0");

#[test]
fn every_fault_has_a_name_and_a_place() {
    if skipped() {
        return;
    }
    let faults: [(Function, &str, &str); 14] = [
        (stores_nowhere, "wrote to 0x123450000000, which is not mapped", "stores_nowhere+0xa"),
        (stores_to_text, "which is forbidden there", "stores_to_text+0x7"),
        (loads_from_no_address, "general protection fault", "loads_from_no_address+0xa"),
        (traps, "invalid opcode", "traps+0x0"),
        (returns, "ran code at 0x0", "page 0"),
        (jumps_to_its_stack, "ran code at", "which is forbidden there"),
        (
            calls_nowhere,
            "ran code at 0x123450000000",
            "called by lockbench::environments::kvm::tests::calls_nowhere",
        ),
        (overflows_its_stack, "which is not mapped", "overflows_its_stack+0x0"),
        (switches_interrupts_off, "general protection fault", "switches_interrupts_off+0x0"),
        (halts, "general protection fault", "halts+0x0"),
        (writes_to_a_port, "general protection fault", "writes_to_a_port+0x0"),
        (divides_by_zero, "division error", "divides_by_zero+0x2"),
        (breaks, "breakpoint", "breaks+0x1"),
        (reaches_for_thread_locals, "read from 0x0", "reaches_for_thread_locals+0x0"),
    ];
    for (function, what, place) in faults {
        let (_vm, mut vcpu, _) = guest(function);
        match vcpu.run(&mut ()) {
            RunEnd::Fault(said) => {
                assert!(said.contains(what) && said.contains(place), "{what}, {place}: {said}")
            }
            RunEnd::Stopped => panic!("{what}: no fault"),
        }
    }
}

/// Kicks itself, halts, and says when it is back.
#[unsafe(naked)]
unsafe extern "C" fn kicks_then_halts() {
    naked_asm!(
        "xor esi, esi",
        "call {kick}",
        "call {halt}",
        "movabs rax, {ring}",
        "mov dword ptr [rax], eax",
        kick = sym doorbell::kick,
        halt = sym doorbell::halt,
        ring = const RING_VIRT,
    )
}

#[test]
fn a_kick_before_the_halt_sticks() {
    if skipped() {
        return;
    }
    const { assert!(offset_of!(Header, plan.params.vcpus) < PAGE) };
    for by_event in [true, false] {
        let (vm, mut vcpu, page) = guest(kicks_then_halts);
        // SAFETY: a zeroed page holds the head of an arena up to the number of vCPUs, which is all that a kick reads.
        unsafe {
            (&raw mut (*std::ptr::from_mut(page).cast::<Header>()).plan.params.vcpus).write_volatile(1)
        };
        if by_event {
            assert!(vm.wire_kicks());
        }
        // A kick that was lost would leave it asleep.
        assert!(matches!(vcpu.run(&mut UntilItRings), RunEnd::Stopped));
    }
}

/// Notes XCR0, and what a sum in 256-bit registers comes to.
#[unsafe(naked)]
unsafe extern "C" fn uses_wide_registers() {
    naked_asm!(
        "xor ecx, ecx",
        "xgetbv",
        "mov [rdi], eax",
        "vmovups ymm0, [rdi + 32]",
        "vaddps ymm1, ymm0, ymm0",
        "vmovups [rdi + 64], ymm1",
        "movabs rax, {ring}",
        "mov dword ptr [rax], eax",
        ring = const RING_VIRT,
    )
}

#[test]
fn the_guest_has_the_processors_wide_registers() {
    if skipped() {
        return;
    }
    let cpuid = entry::cpuid(&device::open().unwrap()).unwrap();
    let Some(xcr0) = entry::xcr0(&cpuid).filter(|xcr0| xcr0 & 4 != 0) else {
        eprintln!("skipped, for this processor has no AVX");
        return;
    };
    let (_vm, mut vcpu, page) = guest(uses_wide_registers);
    let ones = u64::from(1_f32.to_bits()) << 32 | u64::from(1_f32.to_bits());
    let twos = u64::from(2_f32.to_bits()) << 32 | u64::from(2_f32.to_bits());
    page.0[4..8].fill(ones);
    assert!(matches!(vcpu.run(&mut UntilItRings), RunEnd::Stopped));
    assert_eq!(page.0[0], xcr0);
    assert_eq!(page.0[8..12], [twos; 4]);
}

#[test]
fn the_guests_clock_is_the_hosts() {
    if skipped() {
        return;
    }
    assert!(costs::clocks_agree().unwrap());
}

#[test]
fn a_machine_leaves_nothing_open() {
    if skipped() {
        return;
    }
    // Other tests open files at the same time; but of machines there are only a few.
    let open = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        files
            .filter(|file| std::fs::read_link(file.path()).is_ok_and(|to| to.ends_with("anon_inode:kvm-vm")))
            .count()
    };
    for _ in 0..20 {
        drop(guest(traps));
    }
    assert!(open() < 20, "machines pile up");
}
