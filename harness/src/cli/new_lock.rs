//! `lockbench new-lock`: a small crate in which a lock of the user's own is measured.

use std::fs;
use std::path::{Path, PathBuf};

use lockbench_reports::output_file;

use super::{Done, print};
use crate::registry::GROUPS;
use crate::{Error, Registry};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the crate and of the lock
    #[arg(value_name = "NAME")]
    name: String,
    /// Directory of the new crate [default: NAME]
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
    let package = package(args.lockbench.as_deref())?;
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    if dir.exists() {
        return Err(Error::usage(format!("{} is there already; give another --dir", dir.display())));
    }
    for (file, text) in FILES {
        let path = dir.join(file);
        let text = text.replace("{name}", &args.name).replace("{lockbench}", &package);
        let folder = path.parent().expect("a file of the crate lies in it");
        fs::create_dir_all(folder).map_err(|e| Error::file("write", folder, e))?;
        output_file::write(&path, text.as_bytes())?;
    }
    let name = &args.name;
    print(&format!(
        "{name} is in {dir}: your lock is src/lock.rs. Measure it with\n\n  \
         cd {dir} && cargo run --release -- run --locks own,ticket --envs native,emulated,kvm --overcommit 1,2\n",
        dir = dir.display()
    ))?;
    Ok(Done::Well)
}

/// Refuses what cargo takes for no package, and the name of another lock.
fn check(name: &str, registry: &Registry) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
        return Err(Error::usage(format!(
            "`{}` names no package; take lower-case letters, digits, `-` and `_`, and a letter first",
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
