//! `lockbench new-lock`: a small crate in which a lock of the user's own is measured, or the beginnings of a lock in C.

use std::fs;
use std::path::{Path, PathBuf};

use lockbench_reports::output_file;

use super::{Done, print};
use crate::registry::GROUPS;
use crate::shared_object::{HEADER, LONGEST};
use crate::{Error, Registry};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the crate, or of the C file, and of the lock
    #[arg(value_name = "NAME")]
    name: String,
    /// Write a lock in C, with the header that it needs, instead of a crate
    #[arg(long, conflicts_with = "lockbench")]
    c: bool,
    /// New directory for all that is written [default: NAME]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Directory of lockbench's own package, which the crate depends on [default: where this program was built]
    #[arg(long, value_name = "DIR")]
    lockbench: Option<PathBuf>,
}

/// The files of the crate; `{name}` and `{lockbench}` in them are replaced.
const FILES: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("../../new-lock/Cargo.toml.in")),
    (".cargo/config.toml", include_str!("../../new-lock/config.toml.in")),
    ("src/main.rs", include_str!("../../new-lock/main.rs.in")),
    ("src/lock.rs", include_str!("../../new-lock/lock.rs.in")),
];

/// The files of a lock in C; `{name}` and `{symbol}` in them are replaced, and in their names.
const C_FILES: [(&str, &str); 2] =
    [("lockbench.h", HEADER), ("{name}.c", include_str!("../../new-lock/lock.c.in"))];

/// Packages that the crate depends on, and names that cargo keeps for itself.
const TAKEN: [&str; 10] = [
    "lockbench",
    "lockbench-locks",
    "lockbench-workloads",
    "lock_api",
    "core",
    "std",
    "alloc",
    "test",
    "build",
    "deps",
];

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Done, Error> {
    check(&args.name, registry)?;
    let name = &args.name;
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(name));
    let shown = dir.display();
    if dir.exists() {
        return Err(Error::usage(format!("{shown} is there already; give another --dir")));
    }
    if args.c {
        write(&dir, &C_FILES, &[("{name}", name), ("{symbol}", &name.replace('-', "_"))])?;
        print(&format!(
            "{name} is in {shown}: your lock is {name}.c. Measure it with\n\n  \
             cc -O2 -shared -fPIC -o {shown}/{name}.so {shown}/{name}.c\n  \
             lockbench suite --profile quick --lock-so {shown}/{name}.so\n"
        ))?;
    } else {
        let package = package(args.lockbench.as_deref())?;
        write(&dir, &FILES, &[("{name}", name), ("{lockbench}", &package)])?;
        print(&format!(
            "{name} is in {shown}: your lock is src/lock.rs. Measure it with\n\n  \
             cd {shown} && cargo run --release -- run --locks own,ticket --envs native,emulated,kvm --overcommit 1,2\n"
        ))?;
    }
    Ok(Done::Well)
}

/// Writes files below a directory, with words in their names and texts replaced.
fn write(dir: &Path, files: &[(&str, &str)], words: &[(&str, &str)]) -> Result<(), Error> {
    let filled = |text: &str| words.iter().fold(text.to_owned(), |text, (word, by)| text.replace(word, by));
    for (file, text) in files {
        let path = dir.join(filled(file));
        let folder = path.parent().expect("a file of the directory lies in it");
        fs::create_dir_all(folder).map_err(|e| Error::file("write", folder, e))?;
        output_file::write(&path, filled(text).as_bytes())?;
    }
    Ok(())
}

/// Refuses what cargo takes for no package, what is too long for a lock in C, and the name of another lock.
fn check(name: &str, registry: &Registry) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let fits = name.len() <= LONGEST;
    if !fits || !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
        return Err(Error::usage(format!(
            "`{}` names no package; take up to {LONGEST} lower-case letters, digits, `-` and `_`, and a letter first",
            name.escape_debug()
        )));
    }
    if TAKEN.contains(&name) || GROUPS.contains(&name) || registry.lock(name).is_some() {
        return Err(Error::usage(format!("the name `{name}` is taken; give another one")));
    }
    Ok(())
}

/// The package that the crate depends on, as a string of TOML.
fn package(given: Option<&Path>) -> Result<String, Error> {
    let package = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")));
    if !package.join("Cargo.toml").is_file() {
        return Err(Error::usage(format!(
            "there is no package in {}; say with --lockbench where lockbench's `harness` lies",
            package.display()
        )));
    }
    let whole = fs::canonicalize(package).map_err(|e| Error::file("read", package, e))?;
    Ok(toml::Value::from(whole.display().to_string()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_in_c_is_what_is_written_for_a_lock_of_that_name() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("c-ticket");
        write(&dir, &C_FILES, &[("{name}", "c-ticket"), ("{symbol}", "c_ticket")]).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/c-ticket");
        for file in ["c-ticket.c", "lockbench.h"] {
            let text = |dir: &Path| fs::read_to_string(dir.join(file)).unwrap();
            assert!(text(&dir) == text(&example), "{file} is another");
        }
    }
}
