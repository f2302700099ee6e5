//! This test's own machine code: functions by address, and who compiled them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, MemorySize, Mnemonic, OpKind};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

pub(crate) struct Program {
    /// Where each function begins in memory, its size and its mangled name.
    functions: BTreeMap<u64, (u64, String)>,
    /// The compiler, as it signed the program: `rustc 1.95.0`.
    pub(crate) compiler: String,
}

impl Program {
    pub(crate) fn load() -> Self {
        let bytes = fs::read("/proc/self/exe").unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        // A position-independent program is linked at 0 and loaded where its first mapping begins.
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let first = u64::from_str_radix(maps.split('-').next().unwrap(), 16).unwrap();
        let bias = if file.kind() == object::ObjectKind::Dynamic { first } else { 0 };
        let functions = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
            .map(|symbol| {
                let name = symbol.name().unwrap_or("?").to_owned();
                (symbol.address().wrapping_add(bias), (symbol.size(), name))
            })
            .collect();
        let comment = file.section_by_name(".comment").expect("a compiler signs what it makes");
        let comment = String::from_utf8_lossy(comment.data().unwrap()).into_owned();
        let signed = comment.split('\0').find_map(|by| by.strip_prefix("rustc version "));
        let version = signed.and_then(|by| by.split(' ').next()).expect("rustc's signature");
        Self { functions, compiler: format!("rustc {version}") }
    }

    /// The one instruction at an address that was executed.
    pub(crate) fn instruction(address: u64) -> Instruction {
        // SAFETY: the address was executed, so an instruction lies there, of 15 bytes at most; the program's text goes on
        // beyond every function of this test's, for the C runtime's lie behind them.
        let code = unsafe { std::slice::from_raw_parts(address as *const u8, 15) };
        Decoder::with_ip(64, code, address, DecoderOptions::NONE).decode()
    }

    /// All instructions of the function at `start`, and of those that it jumps to or calls directly.
    pub(crate) fn closure(&self, start: u64) -> Vec<Instruction> {
        let (mut todo, mut seen, mut all) = (vec![start], BTreeSet::new(), Vec::new());
        while let Some(start) = todo.pop() {
            if !seen.insert(start) {
                continue;
            }
            let code = self.function(start);
            let inside = start..start + self.functions[&start].0;
            todo.extend(code.iter().filter(|i| leaves(i)).map(Instruction::near_branch_target).filter(
                |to| {
                    assert!(inside.contains(to) || self.functions.contains_key(to), "a jump into a function");
                    !inside.contains(to)
                },
            ));
            all.extend(code);
        }
        all
    }

    /// The instructions of the one function in the closure of `start` whose name has `part` in it.
    pub(crate) fn callee(&self, start: u64, part: &str) -> Vec<Instruction> {
        let called: BTreeSet<u64> = self.closure(start).iter().map(Instruction::near_branch_target).collect();
        let named = |start: &u64| self.functions.get(start).is_some_and(|(_, name)| name.contains(part));
        let found: Vec<u64> = called.into_iter().filter(named).collect();
        assert_eq!(found.len(), 1, "functions with `{part}` in their names");
        self.function(found[0])
    }

    fn function(&self, start: u64) -> Vec<Instruction> {
        let (size, _) =
            self.functions.get(&start).unwrap_or_else(|| panic!("no function begins at {start:#x}"));
        // SAFETY: the symbol table says that a function of `size` bytes lies there, and a program's text is readable.
        let code = unsafe { std::slice::from_raw_parts(start as *const u8, *size as usize) };
        Decoder::with_ip(64, code, start, DecoderOptions::NONE).iter().collect()
    }
}

fn leaves(instruction: &Instruction) -> bool {
    use FlowControl::{Call, ConditionalBranch, UnconditionalBranch};
    matches!(instruction.flow_control(), Call | ConditionalBranch | UnconditionalBranch)
}

/// What an instruction does to memory, in short, as `lock xadd dword`; nothing for one that does not write there.
pub(crate) fn effect(instruction: &Instruction) -> Option<String> {
    let name = format!("{:?}", instruction.mnemonic()).to_lowercase();
    if instruction.mnemonic() == Mnemonic::Mfence || instruction.mnemonic() == Mnemonic::Prefetchw {
        return Some(name);
    }
    let writes = instruction.op0_kind() == OpKind::Memory
        && !matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Nop)
        && !leaves_indirectly(instruction);
    let exchanges = instruction.mnemonic() == Mnemonic::Xchg && instruction.op1_kind() == OpKind::Memory;
    if !writes && !exchanges {
        return None;
    }
    let size = match instruction.memory_size() {
        MemorySize::UInt8 | MemorySize::Int8 => "byte",
        MemorySize::UInt16 | MemorySize::Int16 => "word",
        MemorySize::UInt32 | MemorySize::Int32 => "dword",
        MemorySize::UInt64 | MemorySize::Int64 => "qword",
        other => panic!("{:?} of {other:?}", instruction.code()),
    };
    Some(format!("{}{name} {size}", if instruction.has_lock_prefix() { "lock " } else { "" }))
}

fn leaves_indirectly(instruction: &Instruction) -> bool {
    matches!(instruction.flow_control(), FlowControl::IndirectCall | FlowControl::IndirectBranch)
}

/// Whether it is locked, or waits for all earlier stores: an exchange with memory is locked without saying so.
pub(crate) fn is_locked(instruction: &Instruction) -> bool {
    let exchange = instruction.mnemonic() == Mnemonic::Xchg
        && [instruction.op0_kind(), instruction.op1_kind()].contains(&OpKind::Memory);
    instruction.has_lock_prefix() || exchange || instruction.mnemonic() == Mnemonic::Mfence
}

/// Whether it is a NOP of so many bytes.
pub(crate) fn is_nop(instruction: &Instruction, bytes: usize) -> bool {
    matches!(instruction.code(), Code::Nop_rm16 | Code::Nop_rm32 | Code::Nop_rm64)
        && instruction.len() == bytes
}
