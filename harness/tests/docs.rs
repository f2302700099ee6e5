//! Runs every command and reads every profile in README and docs. Long commands are run at `smoke`.

use std::fs;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

/// Pages whose commands are run.
const PAGES: [&str; 7] = [
    "README.md",
    "docs/configuration.md",
    "docs/hypervisor.md",
    "docs/nightly.md",
    "docs/reading-a-report.md",
    "docs/results.md",
    "docs/writing-a-lock.md",
];

/// Commands that may end with a negative verdict: exit status 1.
const JUDGES: [&str; 4] = ["doctor", "compare", "duel", "history show"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn lockbench(dir: &Path, args: &[String]) -> Output {
    let mut command = Command::cargo_bin("lockbench").unwrap();
    command.current_dir(dir).args(args).env("NO_COLOR", "1");
    command.output().unwrap()
}

/// The words of a command line, in which double quotes keep words together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (nth, part) in text.split('"').enumerate() {
        if nth % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The commands of a page: in code blocks, fenced or indented, lines that start this program.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut fenced = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let Some(code) = (if fenced { Some(line) } else { line.strip_prefix("    ") }) else { continue };
        let code = code.trim().trim_start_matches("./setup && ");
        let command = code
            .strip_prefix("cargo run --release -- ")
            .or_else(|| code.strip_prefix("lockbench "))
            .map(|rest| rest.split(" #").next().unwrap_or_default())
            .map(|rest| rest.split(" > ").next().unwrap_or_default());
        commands.extend(command.map(|rest| rest.trim().to_owned()));
    }
    commands
}

/// The TOML blocks of a page.
fn profiles(page: &str) -> Vec<String> {
    let blocks = page.split("```toml\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// A directory in which the files that the pages name are there: runs, and builds.
fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    let small = "suite --profile smoke --rounds 1 --locks ticket --envs native --out made";
    for names in [
        ["lockbench-out/A", "BASE", "runs/20261122T031500Z-nightly-4f2a"],
        ["lockbench-out/B", "NEW", "runs/20261123T031500Z-nightly-90c1"],
    ] {
        let made = lockbench(desk.path(), &words(small));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let run = fs::read_dir(desk.path().join("made")).unwrap().next().unwrap().unwrap().path();
        for name in names {
            let dir = desk.path().join(name);
            fs::create_dir_all(&dir).unwrap();
            for file in fs::read_dir(&run).unwrap() {
                let file = file.unwrap();
                fs::copy(file.path(), dir.join(file.file_name())).unwrap();
            }
        }
        fs::remove_dir_all(desk.path().join("made")).unwrap();
    }
    let program = assert_cmd::cargo::cargo_bin("lockbench");
    for build in ["lockbench-old", "lockbench-new", "lockbench-before", "lockbench-after"] {
        std::os::unix::fs::symlink(&program, desk.path().join(build)).unwrap();
    }
    desk
}

/// The date on which the runs of the desk were taken.
fn date(desk: &Path) -> String {
    let header = fs::read_to_string(desk.join("BASE/rounds.jsonl")).unwrap();
    let (_, started_at) = header.split_once("\"started_at\":\"").unwrap();
    started_at[..10].to_owned()
}

/// The command, shortened where it would take long, and on the date of the runs that are there.
fn shortened(command: &str, date: &str) -> Vec<String> {
    let mut args = words(command);
    if let Some(at) = args.iter().position(|word| word == "--at") {
        args[at + 1] = date.to_owned();
    }
    if let Some(at) = args.iter().position(|word| word == "--profile") {
        args.drain(at..at + 2);
    }
    // An environment that is asked for by name has to be there.
    if let Some(at) = args.iter().position(|word| word == "--envs")
        && OpenOptions::new().read(true).write(true).open("/dev/kvm").is_err()
    {
        args[at + 1] = args[at + 1].replace(",kvm", "");
    }
    // What the emulated hypervisor schedules yields no figure on a machine that does anything else. Such commands are planned.
    if args.iter().any(|word| word == "--scheduler" || word == "--scenario") {
        args[0] = "suite".into();
        args.push("--plan-only".into());
    }
    let short = match args[0].as_str() {
        "suite" if args.iter().any(|word| word == "--plan-only") => "",
        "suite" => "--profile smoke --locks ticket,pv-ticket --rounds 1",
        "run" => "--rounds 1",
        "check" => "--rounds 1 --overcommit 2 --envs emulated --locks ticket",
        "duel" => "--profile smoke --locks ticket --envs native --rounds 12",
        _ => "",
    };
    args.extend(words(short));
    args
}

#[test]
fn every_command_of_the_pages_runs() {
    let desk = desk();
    let mut run = std::collections::BTreeSet::new();
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap();
        // No run of the desk has the log of a schedule that could be played again.
        for command in commands(&text).into_iter().filter(|command| !command.contains("RUN:CELL")) {
            let args = shortened(&command, &date(desk.path()));
            if !run.insert(args.clone()) {
                continue;
            }
            let output = lockbench(desk.path(), &args);
            let judges = JUDGES.iter().any(|judge| command.starts_with(judge));
            let status = output.status.code();
            // A single round of a check tells nothing, and its status says so.
            let untold = command.starts_with("check")
                && String::from_utf8_lossy(&output.stdout).contains("collapses cannot be told: ");
            assert!(
                status == Some(0) || (judges && status == Some(1)) || (untold && status == Some(2)),
                "{page}: `lockbench {command}`, run as {args:?}: {status:?}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    let run = run.len();
    assert!(run > 20, "only {run} commands were found: are they still where this test looks?");
}

#[test]
fn every_profile_of_the_pages_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut taken = 0;
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap();
        for profile in profiles(&text) {
            fs::write(dir.path().join("profile.toml"), &profile).unwrap();
            let plan = lockbench(dir.path(), &words("suite --config profile.toml --plan-only"));
            assert!(plan.status.success(), "{page}: {}", String::from_utf8_lossy(&plan.stderr));
            taken += 1;
            if profile.contains("schedulers") {
                // The emulated hypervisor's schedules have no native cells, and are kept only where nothing else runs.
                continue;
            }
            let short =
                words("suite --config profile.toml --locks ticket --envs native --rounds 1 --time 5s");
            let run = lockbench(dir.path(), &short);
            assert!(run.status.success(), "{page}: {}", String::from_utf8_lossy(&run.stderr));
        }
    }
    assert!(taken > 0, "no profile was found: are they still where this test looks?");
}
