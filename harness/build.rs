//! Records which compiler and which commit a binary was built from.

use std::process::Command;

fn main() {
    let say = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    println!("cargo::rustc-env=LOCKBENCH_TOOLCHAIN={}", say(&rustc, &["--version"]));
    println!("cargo::rustc-env=LOCKBENCH_COMMIT={}", say("git", &["rev-parse", "--short=12", "HEAD"]));
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/logs/HEAD");
}
