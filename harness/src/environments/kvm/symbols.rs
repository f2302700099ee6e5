//! Names for addresses of the guest: the nearest symbol, or the memory that an address belongs to.

use std::fs;
use std::ops::Range;

use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};

use super::page_tables::Access;
use super::{doorbell, program};
use crate::shared_object;

/// `0x5555… in lockbench_workloads::worker::worker<Ticket, …>+0x3c`, or what else the address is.
pub(super) fn place(address: u64) -> String {
    match function(address) {
        Some(symbol) => format!("{address:#x} in {symbol}"),
        None => match owner(address) {
            Some(owner) => format!("{address:#x} in {owner}"),
            None => format!("{address:#x}, where this process has nothing"),
        },
    }
}

/// Whose memory holds an address of this process.
pub(super) fn owner(address: u64) -> Option<String> {
    let address = address as usize;
    if address < 0x1_0000 {
        return Some("page 0 (a null pointer, a `syscall`, or thread-local storage)".into());
    }
    if (doorbell::VIRT..doorbell::VIRT + (1 << 20)).contains(&address) {
        return Some("the doorbell".into());
    }
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let range: Range<usize> =
            usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        // Five fields stand before the name, which may hold blanks.
        let name = rest.splitn(5, ' ').nth(4).unwrap_or_default().trim();
        range
            .contains(&address)
            .then(|| if name.is_empty() { "unnamed memory".into() } else { name.to_owned() })
    })
}

/// Whether an address lies in the program, as the guest sees it.
pub(super) fn in_program(address: u64) -> bool {
    let parts = program::parts(place as *const () as usize).unwrap_or_default();
    parts.iter().any(|part| part.range.contains(&(address as usize)))
}

/// The function at `address`: the program's, or that of the shared object whose lock is measured.
pub(super) fn function(address: u64) -> Option<String> {
    of_program(address).or_else(|| shared_object::function(address))
}

/// The functions that these addresses lie in, of those that lie in the program's text.
pub(super) fn functions(addresses: &[u64]) -> Vec<String> {
    named(addresses).unwrap_or_default()
}

/// The program's symbol at or before `address`, from the symbol table of its own file.
fn of_program(address: u64) -> Option<String> {
    named(&[address])?.pop()
}

/// Names of program addresses; the file is read once for all.
fn named(addresses: &[u64]) -> Option<Vec<String>> {
    let parts = program::parts(place as *const () as usize).ok()?;
    let in_file = |address: &&u64| {
        let holds = |part: &program::Part| part.range.contains(&(**address as usize));
        parts.iter().any(|part| holds(part) && part.file_offset.is_some() && part.access == Access::Text)
    };
    let wanted: Vec<u64> = addresses.iter().filter(in_file).copied().collect();
    if wanted.is_empty() {
        return None;
    }
    let data = fs::read("/proc/self/exe").ok()?;
    let file = object::File::parse(&*data).ok()?;
    // The part that maps the file's beginning tells how far the program was moved from the addresses that it was linked at.
    let head = parts.iter().find(|part| part.file_offset == Some(0))?.range.start;
    let linked = file.segments().find(|segment| segment.file_range().0 == 0)?.address() as usize;
    let of = |address: u64| {
        let wanted = (address as usize).wrapping_sub(head).wrapping_add(linked) as u64;
        let text =
            file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.address() <= wanted);
        let symbol = text.max_by_key(|symbol| symbol.address())?;
        let name = rustc_demangle::demangle(symbol.name().ok()?);
        Some(format!("{name:#}+{:#x}", wanted - symbol.address()))
    };
    Some(wanted.into_iter().filter_map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_and_foreign_memory_have_names() {
        let here = functions_and_foreign_memory_have_names as *const () as u64;
        assert!(place(here).contains("functions_and_foreign_memory_have_names+0x0"), "{}", place(here));
        let libc = libc::getpid as *const () as u64;
        assert!(place(libc).contains("libc"), "{}", place(libc));
        assert!(place(8).contains("null pointer"));
    }
}
