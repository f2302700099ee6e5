//! A look at XML before hwloc's C code gets it.

/// Why a text cannot be an hwloc topology, if so.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(())
}
