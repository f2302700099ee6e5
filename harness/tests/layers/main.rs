//! Imports run one way. ARCHITECTURE.md maps the rooms of each crate from the top down; a room may import only rooms that
//! stand below it. A room is a file or folder of `src`; names that `lib.rs` re-exports count as what they name.

mod imports;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The crates, by the folder that holds their source.
const CRATES: [&str; 5] = ["locks/src", "workloads/src", "harness/src", "reports/src", "templates/src"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The rooms of each crate, from the top down, as the maps of ARCHITECTURE.md have them: the tables below the headings
/// ``### `harness/src` …``, whose rows begin with a room's name.
fn maps() -> BTreeMap<String, Vec<String>> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut maps: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut of: Option<String> = None;
    for line in page.lines() {
        if line.starts_with('#') {
            let named = line.strip_prefix("### `").and_then(|rest| rest.split('`').next());
            of = named.filter(|name| CRATES.contains(name)).map(str::to_owned);
        } else if let (Some(of), Some(rest)) = (&of, line.strip_prefix("| `")) {
            let room =
                rest.split('`').next().unwrap_or_default().trim_end_matches('/').trim_end_matches(".rs");
            maps.entry(of.clone()).or_default().push(room.to_owned());
        }
    }
    maps
}

#[test]
fn every_room_stands_on_its_map() {
    let maps = maps();
    for of in CRATES {
        let map = maps.get(of).unwrap_or_else(|| panic!("ARCHITECTURE.md has no map of {of}"));
        let mut rooms = imports::rooms(&root().join(of));
        let mut mapped = map.clone();
        rooms.sort();
        mapped.sort();
        assert_eq!(rooms, mapped, "the rooms of {of}, and those on its map");
    }
}

#[test]
fn imports_run_one_way() {
    let maps = maps();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for of in CRATES {
        let map = &maps[of];
        let floor = |room: &str| map.iter().position(|known| known == room);
        for import in imports::of_crate(&root().join(of)) {
            seen += 1;
            if floor(&import.from) >= floor(&import.to) {
                wrong.push(format!("{of}/{}: {} imports {}", import.file, import.from, import.to));
            }
        }
    }
    assert!(seen > 200, "only {seen} imports were found: is the source still where this test looks?");
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "imports that run up:\n{}", wrong.join("\n"));
}

#[test]
fn an_import_that_runs_up_is_found_through_a_re_export_and_in_the_middle_of_an_expression() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("lib.rs", "mod low;\nmod high;\npub use high::{Thing, other as renamed};\n");
    write("high.rs", "pub struct Thing;\npub fn other() {}\n");
    write(
        "low.rs",
        "fn f() { crate::renamed(); }\nmod inner { use super::super::Thing; }\n#[cfg(test)]\nmod tests { use crate::high; }\n",
    );
    let found: Vec<(String, String)> =
        imports::of_crate(dir.path()).into_iter().map(|import| (import.from, import.to)).collect();
    assert_eq!(found, [("low".into(), "high".into()), ("low".into(), "high".into())]);
}
