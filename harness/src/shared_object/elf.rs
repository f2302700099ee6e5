//! What kind of file a shared object is, before anything of it runs.

use object::{Architecture, Object, ObjectKind, ObjectSymbol, SymbolKind};

use super::abi::Descriptor;

/// What the symbol of a lock begins with.
const LOCK: &str = "lockbench_lock";

/// The symbols of the locks that a file exports. An error is the end of a sentence that begins with the file.
pub(super) fn locks(bytes: &[u8]) -> Result<Vec<String>, String> {
    let file = object::File::parse(bytes)
        .map_err(|_| "is no shared object; `cc -shared -fPIC` makes one".to_owned())?;
    let here = match std::env::consts::ARCH {
        "x86_64" => Architecture::X86_64,
        "aarch64" => Architecture::Aarch64,
        _ => file.architecture(),
    };
    if file.architecture() != here || !file.is_64() {
        let bits = if file.is_64() { 64 } else { 32 };
        return Err(format!(
            "is made for another processor ({:?}, {bits} bits) than this program ({here:?})",
            file.architecture()
        ));
    }
    if file.kind() != ObjectKind::Dynamic {
        return Err("is not linked as a shared object; `cc -shared -fPIC` does that".into());
    }
    let is_lock = |name: &str| name == LOCK || suffix(name).is_some();
    let mut symbols = Vec::new();
    for symbol in file.dynamic_symbols().filter(|symbol| symbol.is_definition()) {
        let Some(name) = symbol.name().ok().filter(|name| is_lock(name)) else { continue };
        if symbol.kind() != SymbolKind::Data || symbol.size() < size_of::<Descriptor>() as u64 {
            return Err(format!("has a symbol {name} that is no struct lockbench_descriptor of lockbench.h"));
        }
        symbols.push(name.to_owned());
    }
    symbols.sort_unstable();
    if symbols.is_empty() {
        return Err(format!(
            "exports no lock: it has neither {LOCK} nor {LOCK}_NAME; LOCKBENCH_LOCK of lockbench.h makes one"
        ));
    }
    Ok(symbols)
}

/// `NAME` of `lockbench_lock_NAME`.
pub(super) fn suffix(symbol: &str) -> Option<&str> {
    symbol.strip_prefix(LOCK)?.strip_prefix('_').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_shared_object_is_told_apart() {
        assert!(locks(b"#!/bin/sh\n").unwrap_err().contains("is no shared object"));
        let own = std::fs::read("/proc/self/exe").unwrap();
        assert!(locks(&own).unwrap_err().contains("exports no lock"));
        // The type and the machine that an ELF file is for stand at 16 and 18.
        let with = |at: usize, byte: u8| {
            let mut other = own.clone();
            other[at] = byte;
            locks(&other).unwrap_err()
        };
        assert!(with(16, 1).contains("is not linked"), "{}", with(16, 1));
        assert!(with(18, 243).contains("another processor"), "{}", with(18, 243));
    }

    #[test]
    fn names_stand_behind_the_symbols_first_part() {
        assert_eq!(suffix("lockbench_lock_a_b"), Some("a_b"));
        assert_eq!(suffix("lockbench_lock"), None);
        assert_eq!(suffix("lockbench_locker"), None);
    }
}
