//! Names for addresses that a lock of a shared object used in a guest: its own functions, and what it takes from elsewhere.

use object::{Object, ObjectSymbol, ObjectSymbolTable, RelocationTarget, SymbolKind};

use super::{Loaded, loaded};

/// The function of the loaded object that lies at an address: `acquire+0x1c of my-lock.so`.
pub(crate) fn function(address: u64) -> Option<String> {
    let loaded = loaded().filter(|loaded| loaded.extent.contains(&(address as usize)))?;
    let wanted = address.wrapping_sub(loaded.moved as u64);
    of_file(loaded, |file| {
        let holds = |symbol: &object::Symbol<'_, '_>| {
            symbol.kind() == SymbolKind::Text
                && (symbol.address()..symbol.address() + symbol.size().max(1)).contains(&wanted)
        };
        let symbol = file.symbols().chain(file.dynamic_symbols()).find(holds)?;
        let name = rustc_demangle::demangle(symbol.name().ok()?);
        Some(format!("{name:#}+{:#x} of {}", wanted - symbol.address(), loaded.origin.file()))
    })
}

/// Whether an address lies in the loaded object.
pub(crate) fn holds(address: u64) -> bool {
    loaded().is_some_and(|loaded| loaded.extent.contains(&(address as usize)))
}

/// How a lock of a shared object left its object that got a page fault for `address`, at `rip`; none if it did not, or if there is no
/// such lock.
pub(crate) fn left(rip: u64, address: u64) -> Option<String> {
    let loaded = loaded()?;
    let file = loaded.origin.file();
    let touched = if rip != address && holds(rip) && is_thread_local(loaded, rip as usize) {
        let for_what =
            if address == STACK_PROTECTOR { ": the stack protector's (-fno-stack-protector)" } else { "" };
        format!("thread-local storage{for_what}")
    } else if holds(address) {
        return None;
    } else if let Some(name) = of_file(loaded, |file| import(file, loaded, address)) {
        format!("`{name}`, which lies outside of {file}")
    } else if holds(rip) || rip == address {
        format!("{address:#x}, which lies outside of {file}")
    } else {
        return None;
    };
    Some(format!("the lock says that it is leaf code, and touched {touched}"))
}

/// Where in its thread-local storage a thread has the value that the stack protector compares: compilers agree on it.
const STACK_PROTECTOR: u64 = 0x28;

/// What `look` finds in the loaded object's file.
fn of_file<T>(loaded: &Loaded, look: impl FnOnce(&object::File<'_>) -> Option<T>) -> Option<T> {
    let bytes = std::fs::read(&loaded.origin.path).ok()?;
    look(&object::File::parse(&*bytes).ok()?)
}

/// Whether the instruction at `rip`, which lies in the loaded object, goes through the register of thread-local storage.
fn is_thread_local(loaded: &Loaded, rip: usize) -> bool {
    /// Prefixes that may stand before an instruction, and those of the segments `fs` and `gs`.
    const PREFIXES: [u8; 9] = [0x26, 0x2e, 0x36, 0x3e, 0x66, 0x67, 0xf0, 0xf2, 0xf3];
    const SEGMENTS: [u8; 2] = [0x64, 0x65];
    // SAFETY: an instruction of the object was fetched at `rip`. What follows is lazy: a byte is read only if all bytes before it are
    // prefixes, so that it belongs to that instruction still, whose bytes the guest has read in this very mapping.
    let byte = |at: usize| unsafe { std::ptr::with_exposed_provenance::<u8>(at).read_volatile() };
    let prefixes = (rip..loaded.extent.end).take(4).map(byte);
    prefixes
        .take_while(|byte| PREFIXES.contains(byte) || SEGMENTS.contains(byte))
        .any(|byte| SEGMENTS.contains(&byte))
}

/// The name behind an address that the loader has written into the object's tables.
fn import(file: &object::File<'_>, loaded: &Loaded, address: u64) -> Option<String> {
    let names = file.dynamic_symbol_table()?;
    file.dynamic_relocations()?.find_map(|(at, relocation)| {
        let RelocationTarget::Symbol(index) = relocation.target() else { return None };
        let slot = loaded.moved.wrapping_add(at as usize);
        if !loaded.extent.contains(&slot) || !loaded.extent.contains(&(slot + 7)) {
            return None;
        }
        // SAFETY: a word inside the loaded object, as its own relocations say; the loader wrote it, and a lock that has written over it
        // since gives a wrong name at worst. Volatile, for a guest may write there.
        let found = unsafe { std::ptr::with_exposed_provenance::<[u8; 8]>(slot).read_volatile() };
        if u64::from_ne_bytes(found) != address {
            return None;
        }
        Some(names.symbol_by_index(index).ok()?.name().ok()?.to_owned())
    })
}
