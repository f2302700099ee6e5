//! The program as users see it. One test binary, because each further one links everything again.

mod advise;
mod another_proc;
mod bad_input;
mod causes;
mod check;
mod compare;
mod disturbed;
mod duel;
mod estimates;
mod failing_locks;
mod history;
mod history_nights;
mod hypervisor;
mod interrupted;
mod leftovers;
mod limits;
mod listing;
mod new_lock;
mod orphans;
mod peers;
mod pools;
mod preemptions;
mod quota;
mod real_vcpus;
mod replays;
mod report;
mod scenarios;
mod schedules;
mod scheduling_class;
mod seccomp;
mod shared_objects;
mod skipped;
mod sources;
mod streams;
mod suite;
mod threads;
mod throttled;
mod workloads;

#[path = "../../../reports/tests/fixture/mod.rs"]
mod fixture;

use assert_cmd::Command;

/// The program.
fn lockbench() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockbench"));
    command.env("NO_COLOR", "1");
    command
}

/// The program with locks that misbehave, which cargo built beside the tests.
fn misbehaving() -> Command {
    let mut dir = std::env::current_exe().unwrap();
    dir.pop();
    dir.pop();
    Command::new(dir.join("examples/misbehaving"))
}
