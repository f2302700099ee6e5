//! Workers are leaf code: their machine code calls nothing but halt, kick, yield and the end of an extended timeslice.
//!
//! Every worker of the table is disassembled, together with the functions that it calls directly. It may call and jump within
//! these, and call indirectly through `halt`, `kick`, `forget`, `give_way` and `give_back` of the vCPU's block. One lock exists to show what a table of
//! function pointers costs; it may call through its own table as well, and the functions in that table are checked too. So may
//! the lock that stands for those of shared objects: what it calls is the object's, and the object's author answers for it.
#![cfg(target_arch = "x86_64")]

use std::alloc::Layout;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::mem::offset_of;

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use lockbench_workloads::arena::{Block, EnvBlock};
use lockbench_workloads::locks::Paravirt;
use lockbench_workloads::shared_object::{self, Needs};
use lockbench_workloads::{CATALOGUE, ProbeKind};
use object::{Object, ObjectSymbol, SymbolKind};

/// Locks whose subject is an indirect call.
const BY_TABLE: [&str; 2] = ["pvops-ticket", "shared-object"];

const WORD: Layout = Layout::new::<u32>();

/// The functions of this test's own program, by address in memory.
struct Program {
    functions: BTreeMap<u64, (u64, String)>,
}

impl Program {
    fn load() -> Self {
        let bytes = fs::read("/proc/self/exe").unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        // A position-independent program is linked at 0 and loaded where its first mapping begins.
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let first = maps.split('-').next().unwrap();
        let bias = if file.kind() == object::ObjectKind::Dynamic {
            u64::from_str_radix(first, 16).unwrap()
        } else {
            0
        };
        let functions = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
            .map(|symbol| {
                let name = symbol.name().unwrap_or("?").to_owned();
                (symbol.address().wrapping_add(bias), (symbol.size(), name))
            })
            .collect();
        Self { functions }
    }

    fn instructions(&self, start: u64) -> Vec<Instruction> {
        let (size, _) =
            self.functions.get(&start).unwrap_or_else(|| panic!("no function begins at {start:#x}"));
        // SAFETY: the symbol table says that a function of `size` bytes lies there, and a program's text is readable.
        let code = unsafe { std::slice::from_raw_parts(start as *const u8, *size as usize) };
        Decoder::with_ip(64, code, start, DecoderOptions::NONE).iter().collect()
    }

    fn name(&self, start: u64) -> &str {
        self.functions.get(&start).map_or("?", |(_, name)| name)
    }

    /// Finds what the function at `start`, and every function that it calls, must not do and does.
    fn offences(&self, start: u64, by_table: bool, seen: &mut BTreeSet<u64>, found: &mut Vec<String>) {
        if !seen.insert(start) {
            return;
        }
        if self.name(start).contains("panicking") {
            found.push(format!("reaches {}", self.name(start)));
            return;
        }
        let code = self.instructions(start);
        let size = self.functions[&start].0;
        let inside = start..start + size;
        for (at, instruction) in code.iter().enumerate() {
            let mut offence = |what: &str| {
                let at = instruction.ip() - start;
                found.push(format!("{} at +{at:#x}: {what}: {:?}", self.name(start), instruction.code()));
            };
            match instruction.flow_control() {
                FlowControl::Call | FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
                    let target = instruction.near_branch_target();
                    if inside.contains(&target) {
                    } else if self.functions.contains_key(&target) {
                        self.offences(target, by_table, seen, found);
                    } else {
                        offence("leaves for no known function");
                    }
                }
                // Through the global offset table: a direct call whose target the loader filled in.
                FlowControl::IndirectCall | FlowControl::IndirectBranch
                    if source(&code[..at], instruction).is_ip_rel_memory_operand() =>
                {
                    let slot = source(&code[..at], instruction).ip_rel_memory_address();
                    // SAFETY: an aligned word of this program's own, constant since it was loaded.
                    let target = unsafe { *(slot as *const u64) };
                    if self.functions.contains_key(&target) {
                        self.offences(target, by_table, seen, found);
                    } else {
                        offence("calls into another library");
                    }
                }
                FlowControl::IndirectCall | FlowControl::IndirectBranch
                    if !by_table && !through_the_block(&code[..at], instruction) =>
                {
                    offence(
                        "calls through a pointer that is none of halt, kick, forget, give_way and give_back",
                    );
                }
                FlowControl::Interrupt | FlowControl::Exception => offence("traps"),
                _ if matches!(
                    instruction.mnemonic(),
                    Mnemonic::Syscall | Mnemonic::Sysenter | Mnemonic::Int
                ) =>
                {
                    offence("enters the kernel");
                }
                _ if [Register::FS, Register::GS].contains(&instruction.segment_prefix()) => {
                    offence("touches thread-local storage");
                }
                _ => {}
            }
        }
    }

    /// Functions whose address is taken in the function at `start`.
    fn addresses_taken(&self, start: u64) -> Vec<u64> {
        let taken = self
            .instructions(start)
            .into_iter()
            .filter(|i| i.mnemonic() == Mnemonic::Lea && i.is_ip_rel_memory_operand());
        taken
            .map(|i| i.ip_rel_memory_address())
            .filter(|address| self.functions.contains_key(address))
            .collect()
    }
}

/// Whether an indirect call goes through `halt`, `kick`, `forget`, `give_way` or `give_back` of a vCPU's block.
fn through_the_block(before: &[Instruction], call: &Instruction) -> bool {
    let env = offset_of!(Block, env);
    let allowed = [
        offset_of!(EnvBlock, halt),
        offset_of!(EnvBlock, kick),
        offset_of!(EnvBlock, forget),
        offset_of!(EnvBlock, give_way),
        offset_of!(EnvBlock, give_back),
    ]
    .map(|of| env + of);
    let source = source(before, call);
    source.memory_base() != Register::None && allowed.contains(&(source.memory_displacement64() as usize))
}

/// The instruction that read an indirect call's pointer from memory: the call itself, or the load of its register.
fn source<'a>(before: &'a [Instruction], call: &'a Instruction) -> &'a Instruction {
    let loads = |i: &&Instruction| {
        i.mnemonic() == Mnemonic::Mov
            && i.op0_kind() == OpKind::Register
            && i.op0_register() == call.op0_register()
            && i.op1_kind() == OpKind::Memory
    };
    match call.op0_kind() {
        OpKind::Register => before.iter().rev().find(loads).unwrap_or(call),
        _ => call,
    }
}

#[test]
fn workers_call_nothing_but_halt_and_kick() {
    let program = Program::load();
    let mut found = Vec::new();
    let mut workers = 0;
    let shared = [false, true].map(|ordered| {
        shared_object::family(&Needs { lock: WORD, more_per_vcpu: 0, node: WORD, ordered, blocks: false })
    });
    for family in CATALOGUE.iter().filter(|family| family.leaf).chain(&shared) {
        let by_table = BY_TABLE.contains(&family.name);
        for paravirt in [Paravirt::CompiledOut, Paravirt::Patched, Paravirt::On] {
            for probe in ProbeKind::ALL {
                let entry = family.entry(paravirt, probe);
                let (mut seen, before) = (BTreeSet::new(), found.len());
                program.offences(entry.run as *const () as u64, by_table, &mut seen, &mut found);
                if by_table {
                    for function in program.addresses_taken(entry.init as *const () as u64) {
                        program.offences(function, by_table, &mut seen, &mut found);
                    }
                }
                for offence in &mut found[before..] {
                    *offence = format!("{} {paravirt:?} {probe:?}: {offence}", family.name);
                }
                workers += 1;
            }
        }
    }
    assert!(workers >= 6 * 6, "only {workers} workers were looked at");
    assert!(found.is_empty(), "{} offences:\n{}", found.len(), found.join("\n"));
}

/// The worker's own call sites: direct where boot-time patching would have made them so, and nowhere else.
#[test]
fn patched_call_sites_are_direct_and_unpatched_ones_are_not() {
    let program = Program::load();
    let family = CATALOGUE.iter().find(|family| family.name == "pvops-ticket").unwrap();
    let calls = |paravirt| {
        let code = program.instructions(family.entry(paravirt, ProbeKind::Off).run as *const () as u64);
        // What goes through the loader's table is the way to waiting, out of line.
        let by_table = |(at, i): &(usize, &Instruction)| {
            i.flow_control() == FlowControl::IndirectCall
                && !source(&code[..*at], i).is_ip_rel_memory_operand()
        };
        let named = |i: &&Instruction| {
            i.flow_control() == FlowControl::Call
                && program.name(i.near_branch_target()).contains("pvops_ticket")
        };
        (code.iter().filter(named).count(), code.iter().enumerate().filter(by_table).count())
    };
    let (patched, unpatched) = (calls(Paravirt::Patched), calls(Paravirt::CompiledOut));
    assert!(patched.0 >= 2 && patched.1 == 0, "{patched:?}");
    assert!(unpatched.0 == 0 && unpatched.1 >= 2, "{unpatched:?}");
}

/// A worker with what it calls, so written down that addresses do not show: each instruction's form and size, and for a branch
/// where it leads within its function, or the function that it leads to, in the same manner.
fn text(program: &Program, start: u64, seen: &mut Vec<u64>, text: &mut Vec<String>) {
    if seen.contains(&start) {
        return;
    }
    seen.push(start);
    let size = program.functions[&start].0;
    for instruction in program.instructions(start) {
        let mut line = format!("{:?} {}", instruction.code(), instruction.len());
        match instruction.near_branch_target() {
            0 if instruction.is_ip_rel_memory_operand() => {}
            0 => {
                let _ = write!(line, " {instruction}");
            }
            target if (start..start + size).contains(&target) => {
                let _ = write!(line, " +{}", target - start);
            }
            target => self::text(program, target, seen, text),
        }
        text.push(line);
    }
}

/// Otherwise an A/A pair would tell of other things than of where code lies.
#[test]
fn a_workers_copy_lies_elsewhere_and_has_its_instructions() {
    let program = Program::load();
    for family in CATALOGUE {
        for paravirt in [Paravirt::CompiledOut, Paravirt::Patched, Paravirt::On] {
            let [(first, at), (second, copy_at)] = [ProbeKind::Count, ProbeKind::CountCopy].map(|probe| {
                let at = family.entry(paravirt, probe).run as *const () as u64;
                let mut lines = Vec::new();
                text(&program, at, &mut Vec::new(), &mut lines);
                (lines, at)
            });
            assert_ne!(at, copy_at, "{} {paravirt:?}", family.name);
            assert_eq!(first, second, "{} {paravirt:?}", family.name);
        }
    }
}

#[test]
fn the_check_can_fail() {
    #[inline(never)]
    extern "C" fn allocates(n: usize) -> usize {
        std::hint::black_box(vec![0_u8; n]).len()
    }
    let program = Program::load();
    let mut found = Vec::new();
    program.offences(allocates as *const () as u64, false, &mut BTreeSet::new(), &mut found);
    assert!(!found.is_empty(), "an allocating function passed for leaf code");
}
