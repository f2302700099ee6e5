//! The `lockbench` program; see the library.

fn main() -> std::process::ExitCode {
    lockbench::main_with(lockbench::locks![])
}
