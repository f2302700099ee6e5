//! The `lockbench` program; see the library.

#[global_allocator]
static MEMORY: lockbench::OrSaySo = lockbench::OrSaySo;

fn main() -> std::process::ExitCode {
    lockbench::main_with(lockbench::locks![])
}
