//! Records which compiler and which commit a binary was built from, and how it aligns loops.

use std::process::Command;

fn main() {
    let say = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    println!("cargo::rustc-env=LOCKBENCH_TOOLCHAIN={}", say(&rustc, &["--version"]));
    println!("cargo::rustc-env=LOCKBENCH_COMMIT={}", say("git", &["rev-parse", "--short=12", "HEAD"]));
    // In .cargo/config.toml; RUSTFLAGS in the environment, `cargo install` and a workspace of the user's pass it over.
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let bytes = flags.split_once("-align-loops=").map_or("", |(_, after)| after);
    let digits = bytes.find(|c: char| !c.is_ascii_digit()).unwrap_or(bytes.len());
    println!("cargo::rustc-env=LOCKBENCH_ALIGNS_LOOPS={}", &bytes[..digits]);
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
}
