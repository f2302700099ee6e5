//! Some calls may be made in one file only, which guards them. The sources are searched for such calls elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

/// Calls that are allowed in these files only: elsewhere they may panic, hang or lose output.
const GUARDED: [(&[&str], &[&str]); 5] = [
    // A stream that takes nothing makes these panic.
    (&["println!", "eprintln!", "print!(", "eprint!(", "dbg!(", "stdout().lock()"], &["src/output.rs"]),
    // What stands there already may be a device or a link, and a half-written file is worse than none.
    (
        &["File::create(", "fs::write(", "OpenOptions::new()", "fs::rename("],
        &["reports/src/output_file.rs", "src/suite/journal.rs", "src/bandwidth/control.rs"],
    ),
    // A stream that does not block says that it is empty.
    (&["stdin()"], &["src/input.rs"]),
    // Where there is no thread to be had, these panic.
    (&["thread::spawn(", "scope.spawn("], &[]),
    // A process that is started so may stay for ever, or be waited for so long.
    (
        &[".output()", ".spawn()", ".status()", "libc::fork("],
        &["src/subprocess/mod.rs", "src/topology/isolate.rs"],
    ),
];

/// Rust files under a folder, but for tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() && name != "tests" {
            sources(&entry, found);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            found.push(entry);
        }
    }
}

#[test]
fn nothing_goes_around_a_guard() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("../reports/src"), &mut files);
    assert!(files.len() > 100, "where are the sources?");
    let mut around = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        // Tests stand at a file's end.
        let program = text.split("#[cfg(test)]").next().unwrap().split("#[cfg(all(test").next().unwrap();
        for (number, line) in program.lines().enumerate().filter(|(_, line)| !line.trim().starts_with("//")) {
            for (calls, allowed) in GUARDED {
                let is_allowed = allowed.iter().any(|allowed| file.ends_with(allowed));
                if !is_allowed && calls.iter().any(|call| line.contains(call)) {
                    around.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
                }
            }
        }
    }
    assert!(around.is_empty(), "{around:#?}");
}
