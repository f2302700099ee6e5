//! `lockbench list --instructions`: the machine code of the locks, as a test found it in the disassembly.

use std::collections::BTreeMap;
use std::fmt::Write;

use lockbench_workloads::locks::INSTRUCTIONS;
use serde::Deserialize;

use super::{Done, print};
use crate::Error;

#[derive(Deserialize)]
struct Table {
    made_by: String,
    rows: Vec<Row>,
}

/// An acquire or a release.
#[derive(Deserialize)]
struct Row {
    lock: String,
    path: String,
    bytes: u32,
    instructions: u32,
    /// Locked instructions and fences that it executes, in their order.
    locked: Vec<String>,
    /// Kinds of them that are executed only where somebody waits.
    waiting: Vec<String>,
}

pub(super) fn list(json: bool) -> Result<Done, Error> {
    if json {
        print(INSTRUCTIONS)?;
    } else {
        print(&text(&table()?))?;
    }
    Ok(Done::Well)
}

fn table() -> Result<Table, Error> {
    serde_json::from_str(INSTRUCTIONS)
        .map_err(|source| Error::Json { what: "the table of instructions cannot be read".into(), source })
}

fn text(table: &Table) -> String {
    let mut text = format!(
        "What an uncontended acquire and release execute on x86-64 ({}), each as a function that is called from outside.\n\
         Its `ret` is not counted, nor is what stands out of line; the last column has the locked instructions of that.\n\
         A jump straight into code out of line is 4 bytes longer than one over a few instructions.\n\n",
        table.made_by
    );
    let mut line = |lock: &str, path: &str, bytes: &str, instructions: &str, locked: &str, waiting: &str| {
        let all = format!("{lock:<20} {path:<7} {bytes:>5} {instructions:>12}  {locked:<18}  {waiting}");
        let _ = writeln!(text, "{}", all.trim_end());
    };
    line("lock", "path", "bytes", "instructions", "locked", "locked, while somebody waits");
    for row in &table.rows {
        let lock = if row.path == "acquire" { &*row.lock } else { "" };
        let (bytes, instructions) = (row.bytes.to_string(), row.instructions.to_string());
        let locked = if row.locked.is_empty() { "none".into() } else { row.locked.join(", ") };
        line(lock, &row.path, &bytes, &instructions, &locked, &kinds(&row.waiting));
    }
    text
}

/// Sizes of one instruction together, the smallest first, as `lock cmpxchg byte, dword; xchg word`.
fn kinds(instructions: &[String]) -> String {
    const SIZES: [&str; 4] = ["byte", "word", "dword", "qword"];
    let mut sizes_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for instruction in instructions {
        let (name, size) = instruction.rsplit_once(' ').unwrap_or((instruction, ""));
        sizes_of.entry(name).or_default().push(size);
    }
    let shown = |(name, mut sizes): (&str, Vec<&str>)| {
        sizes.sort_by_key(|size| SIZES.iter().position(|known| known == size));
        format!("{name} {}", sizes.join(", ")).trim_end().to_owned()
    };
    sizes_of.into_iter().map(shown).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lock_of_the_catalogue_has_its_two_rows() {
        let table = table().unwrap();
        let rows: Vec<(&str, &str)> =
            table.rows.iter().map(|row| (row.lock.as_str(), row.path.as_str())).collect();
        let families = lockbench_workloads::CATALOGUE.iter();
        let expected = families
            .flat_map(|family| family.variants)
            .flat_map(|variant| [(variant.name, "acquire"), (variant.name, "release")]);
        assert!(rows.iter().copied().eq(expected), "{rows:?}");
    }

    #[test]
    fn sizes_of_one_instruction_stand_together() {
        let all = ["lock bts dword", "lock cmpxchg dword", "lock cmpxchg byte", "mfence"].map(String::from);
        assert_eq!(kinds(&all), "lock bts dword; lock cmpxchg byte, dword; mfence");
        assert_eq!(kinds(&[]), "");
    }
}
