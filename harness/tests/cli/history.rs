//! `history` as users see it, also when it is killed, its disk is full or its input is false.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use super::compare::run_dir;
use super::lockbench;

pub(super) fn history(db: &Path, args: &[&str]) -> Output {
    lockbench().arg("history").args(args).arg("--history").arg(db).output().unwrap()
}

pub(super) fn done(db: &Path, args: &[&str]) -> String {
    let output = history(db, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

pub(super) fn refused(db: &Path, args: &[&str]) -> String {
    let output = history(db, args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert!(said.trim_end().lines().count() == 1 && said.starts_with("lockbench: "), "{said}");
    said
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn runs_go_in_once_and_come_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let (db, copy) = (dir.path().join("h.db"), dir.path().join("copy.db"));
    let runs: Vec<_> = (1..=3).map(|seed| run_dir(dir.path(), seed, 1.0)).collect();
    assert!(refused(&db, &["list"]).contains("there is no history"));
    assert!(!db.exists(), "looking makes nothing");
    let added = done(&db, &["add", text(&runs[0]), text(&runs[1])]);
    assert_eq!(added.lines().filter(|line| line.contains(": added;")).count(), 2, "{added}");
    assert!(done(&db, &["add", text(&runs[0]), text(&runs[2])]).contains("was there already"));
    assert_eq!(done(&db, &["list", "--json"]).lines().count(), 3);
    done(&db, &["bless", "ticket", "--at", "2025-11-22", "--reason", "a new kernel"]);
    assert!(refused(&db, &["bless", "tickt", "--at", "2025-11-22", "--reason", "x"]).contains("no cell"));
    assert!(refused(&db, &["bless", "*", "--at", "1999-01-01", "--reason", "x"]).contains("no run"));
    assert!(done(&db, &["list"]).contains("blessed ticket at"));

    let exported = done(&db, &["export"]);
    assert_eq!(exported.lines().count(), 4);
    let lines = dir.path().join("h.jsonl");
    fs::write(&lines, &exported).unwrap();
    assert!(done(&copy, &["import", text(&lines)]).contains("4 new, 0 were there already"));
    assert!(done(&copy, &["import", text(&lines)]).contains("0 new, 4 were there already"));
    assert_eq!(done(&copy, &["export"]), exported);
    assert!(done(&db, &["export", "--format", "csv"]).starts_with("machine,cpu_model,run_id"));
    let metrics = done(&db, &["export", "--format", "openmetrics"]);
    assert!(metrics.ends_with("# EOF\n") && metrics.contains(" 1763781300\n"));
    assert!(metrics.contains("\nlockbench_alert{"), "{metrics}");

    let output = lockbench().args(["compare", "--history", text(&db)]).arg(&runs[2]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("BASE  2026"), "against the two others");
}

#[test]
fn a_change_stands_until_it_is_blessed() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let page = dir.path().join("trend.html");
    for night in 1..=14 {
        let run = super::compare::night(dir.path(), night, if night > 7 { 0.7 } else { 1.0 });
        done(&db, &["add", text(&run)]);
    }
    let output = history(&db, &["show", "ticket/native/empty"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("Worse: ticket, "), "the headline names the lock: {said}");
    for (told, heading) in [
        ("Stands worse: ticket, up to 3", "Stands worse"),
        (" from 2025-11-08 on, last like before on 2025-11-07:", "ticket, up to 3"),
    ] {
        let at = said.lines().position(|row| row.starts_with(heading) && row.contains(told));
        let row = at.and_then(|at| said.lines().nth(at + 1)).unwrap_or_default();
        assert!(
            row.starts_with("    3")
                && row.contains(" % slower (0.")
                && row.contains(": ticket/native/empty/"),
            "the series follow what is told of all: {said}"
        );
    }
    let output = history(&db, &["show", "ticket/native/empty/1v"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains(" since 2025-11-08 than at first: ticket/native/empty/1v")
            && said.contains(" from 2025-11-08 on, last like before on 2025-11-07: ticket/native/empty/1v"),
        "one series has a line of its own: {said}"
    );
    // Locks that fail in the latest night fail it too, where they are asked for.
    let output = history(&db, &["show", "mcs/kvm", "--json"]);
    let failed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{failed}");
    assert!(
        failed.as_array().unwrap().iter().any(|one| one["failed"] == "hung" && one["date"] == "2025-11-14")
    );
    assert!(done(&db, &["report", "-o", text(&page)]).trim_end() == text(&page));
    assert!(fs::read_to_string(&page).unwrap().contains("14 nights, 2025-11-01 to 2025-11-14"));
    done(&db, &["bless", "ticket", "--at", "2025-11-08", "--reason", "measured <b>twice</b>"]);
    assert!(done(&db, &["show", "ticket/native/empty"]).contains("blessed: measured"));
    done(&db, &["report", "-o", text(&page)]);
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.contains("measured &lt;b&gt;twice") && !page.contains("<b>"), "escaped");
    let changes: serde_json::Value =
        serde_json::from_str(&done(&db, &["show", "--json", "ticket/native/empty"])).unwrap();
    assert_eq!(changes[0]["date"], "2025-11-08");
    assert!(refused(&db, &["show", "--machine", "nonsense"]).contains("holds no machine"));
}

#[test]
fn history_show_fails_for_an_improvement_that_was_lost_again() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    for night in 1..=24 {
        let run =
            super::compare::night(dir.path(), night, if (9..=16).contains(&night) { 1.45 } else { 1.0 });
        done(&db, &["add", text(&run)]);
    }
    let output = history(&db, &["show", "ticket/native/empty"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("Worse: ticket, up to 31 % slower (2 cells)."), "{said}");
    let all = "Stands worse: ticket, up to 31 % slower (2 cells) since 2025-11-17 than from 2025-11-09 on:\n";
    assert!(said.contains(all) && said.contains("): ticket/native/empty/1v"), "{said}");
    let json = history(&db, &["show", "--json", "ticket/native/empty"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(json.as_array().unwrap().iter().any(|one| one["standing"] == "worse" && one["lock"] == "ticket"));
    done(&db, &["bless", "ticket", "--at", "2025-11-17", "--reason", "the machine was idle before"]);
    assert!(done(&db, &["show", "ticket/native/empty"]).starts_with("No series stands worse"));
}

#[test]
fn sqlite3_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    done(&db, &["add", text(&run_dir(dir.path(), 1, 1.0))]);
    let sql = "SELECT round(max(median) / 1e6) FROM points WHERE cell LIKE 'ticket/native/empty/%' AND metric = 'rate'";
    let Ok(output) = Command::new("sqlite3").arg(&db).arg(sql).output() else {
        eprintln!("skipped: no sqlite3 is installed");
        return;
    };
    let said = String::from_utf8(output.stdout).unwrap();
    let rate: f64 = said.trim().parse().unwrap_or_else(|_| panic!("{said}"));
    assert!((150.0..200.0).contains(&rate), "{said}");
}

#[test]
fn a_kill_at_any_moment_loses_only_the_run_being_added() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    done(&db, &["add", text(&run_dir(dir.path(), 1, 1.0))]);
    for turn in 0..12_u64 {
        let run = run_dir(dir.path(), 10 + turn, 1.0);
        let mut child = Command::new(env!("CARGO_BIN_EXE_lockbench"))
            .args(["history", "add", text(&run), "--history", text(&db)])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // From before it has read the run to after it is done.
        std::thread::sleep(Duration::from_millis(turn * 37 % 400));
        child.kill().unwrap();
        child.wait().unwrap();
        let listed = done(&db, &["list", "--json"]);
        assert!(listed.contains("synthetic-0001"), "{listed}");
        let whole = done(&db, &["export"]);
        assert!(whole.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    }
    assert!(done(&db, &["add", text(&run_dir(dir.path(), 99, 1.0))]).contains(": added;"));
}

#[test]
fn a_full_disk_leaves_the_history_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let runs: Vec<_> = (1..=12).map(|seed| run_dir(dir.path(), seed, 1.0)).collect();
    let runs: Vec<&str> = runs.iter().map(|run| text(run)).collect();
    let small = dir.path().join("small");
    fs::create_dir(&small).unwrap();
    // A file system of its own that holds a few runs.
    let script = format!(
        "mount -t tmpfs -o size=600k none {small} || exit 77\n\
         for run in {runs}; do {program} history add $run --history {small}/h.db || break; done\n\
         {program} history add {last} --history {small}/h.db; status=$?\n\
         {program} history export --history {small}/h.db > {kept} || exit 79\n\
         exit $status",
        small = small.display(),
        program = env!("CARGO_BIN_EXE_lockbench"),
        runs = runs.join(" "),
        last = runs[11],
        kept = dir.path().join("kept").display(),
    );
    let output = Command::new("unshare").args(["--mount", "--map-root-user", "bash", "-c", &script]).output();
    let Ok(output) = output.map_err(|e| eprintln!("skipped: no unshare here: {e}")) else { return };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(77) || said.starts_with("unshare:") {
        eprintln!("skipped: no small file system can be mounted here");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the disk is full; what was in it before is unharmed"), "{said}");
    let kept = fs::read_to_string(dir.path().join("kept")).unwrap();
    let added = String::from_utf8_lossy(&output.stdout).matches(": added;").count();
    assert!(added > 0 && kept.lines().count() == added, "{added} added, {} kept", kept.lines().count());
}

#[test]
fn damaged_records_are_refused_and_nothing_is_added() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let run = run_dir(dir.path(), 1, 1.0);
    let rounds = fs::read_to_string(run.join("rounds.jsonl")).unwrap();
    // Cut in the middle of its header: nothing says what it was.
    fs::write(run.join("rounds.jsonl"), &rounds[..200]).unwrap();
    assert!(refused(&db, &["add", text(&run)]).contains("is not a lockbench record"));
    assert!(!db.exists());
    // Cut in half: what was measured is kept, and the record says that it was cut.
    fs::write(run.join("rounds.jsonl"), &rounds[..rounds.len() / 2]).unwrap();
    done(&db, &["add", text(&run)]);
    assert!(done(&db, &["list"]).contains("cut off before its plan was done"));
    let exported = done(&db, &["export"]);
    let lines = dir.path().join("h.jsonl");
    fs::write(&lines, format!("{{\"line\":\"run\"\n{exported}")).unwrap();
    let copy = dir.path().join("copy.db");
    assert!(refused(&copy, &["import", text(&lines)]).contains("line 1"));
    assert!(!copy.exists());
    fs::write(&lines, format!("{exported}{}", &exported[..exported.len() / 2])).unwrap();
    assert!(done(&copy, &["import", text(&lines)]).contains("1 new"), "a cut last line costs itself");
}

#[test]
fn hostile_strings_stay_strings() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let run = run_dir(dir.path(), 1, 1.0);
    let rounds = fs::read_to_string(run.join("rounds.jsonl")).unwrap();
    let hostile = r"</script><img src=x onerror=alert(1)>'; DROP TABLE runs; --\u001b[2J\u202e\u0000";
    let rounds =
        rounds.replace("6.18.0-synthetic", hostile).replace("tas/native", &format!("tas{hostile}/native"));
    fs::write(run.join("rounds.jsonl"), rounds).unwrap();
    done(&db, &["add", text(&run)]);
    for args in [["list"].as_slice(), &["export"], &["export", "--format", "openmetrics"]] {
        let said = done(&db, args);
        assert!(!said.contains('\u{1b}') || args.len() > 2, "{args:?}");
        assert!(said.contains("DROP TABLE") || args == ["list"]);
    }
    assert_eq!(done(&db, &["list", "--json"]).lines().count(), 1);
}

#[test]
fn a_record_of_an_older_build_joins_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let older = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/tests/records/2026-11-22.jsonl");
    // On whatever date this runs, it is no run of days to come.
    let record = fs::read_to_string(older).unwrap().replace("2026-11-22T", "2025-11-22T");
    let older = dir.path().join("older.jsonl");
    fs::write(&older, record).unwrap();
    assert!(done(&db, &["add", text(&older)]).contains(": added;"));
    assert!(done(&db, &["list"]).contains("standard"));
}

#[test]
fn a_cell_that_no_night_has_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    done(&db, &["add", text(&run_dir(dir.path(), 1, 1.0))]);
    assert!(refused(&db, &["show", "NOSUCH"]).contains("no cell of this history has `NOSUCH` in its id"));
    assert!(done(&db, &["show", "ticket/emulated"]).lines().all(|line| !line.contains("mcs/")));
}
