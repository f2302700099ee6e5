//! `history`: what counts as a night, and in which order nights are.

use std::fs;
use std::path::{Path, PathBuf};

use lockbench_reports::record::{Line, Outcome};

use super::history::{done, history, refused, text};
use super::lockbench;

/// The rounds of a run, changed.
fn rewrite(run: &Path, from: &str, to: &str) {
    let path = run.join("rounds.jsonl");
    let rounds = fs::read_to_string(&path).unwrap();
    assert!(rounds.contains(from));
    fs::write(path, rounds.replace(from, to)).unwrap();
}

/// A run of that day in which the cells whose id begins with one of `skipped` could not be measured.
fn skipping(dir: &Path, day: u64, skipped: &[&str]) -> PathBuf {
    let run = super::compare::night(dir, day, 1.0);
    let path = run.join("rounds.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: Line = serde_json::from_str(line).unwrap();
        if let Line::Round(round) = &mut line
            && skipped.iter().any(|cell| round.cell.starts_with(cell))
        {
            round.outcome =
                Outcome::Skipped { reason: "no <b>descriptor</b> was free".into(), passing: true };
        }
        serde_json::to_string(&line).unwrap() + "\n"
    });
    let text: String = lines.collect();
    fs::write(path, text).unwrap();
    run
}

#[test]
fn a_run_dated_ahead_is_refused_and_hides_no_later_failure() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let ahead = super::compare::night(dir.path(), 1, 1.0);
    rewrite(&ahead, "2025-11-01T", "2099-11-01T");
    let said = refused(&db, &["add", text(&ahead)]);
    assert!(
        said.contains("is dated 2099-11-01T03:15:00Z") && said.contains("one of the two clocks is wrong"),
        "{said}"
    );
    assert!(!db.exists());
    let night = super::compare::night(dir.path(), 2, 1.0);
    done(&db, &["add", text(&night)]);
    // As an earlier version took it in.
    let exported = done(&db, &["export"]);
    let record = exported.replace("2025-11-02T", "2099-11-01T").replace("synthetic-0002", "synthetic-2099");
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let machine: String = done(&db, &["list", "--json"]);
    let machine: serde_json::Value = serde_json::from_str(&machine).unwrap();
    let row = (machine["machine"].as_str(), "synthetic-2099", "2099-11-01T03:15:00Z", record.to_string());
    rusqlite::Connection::open(&db).unwrap().execute("INSERT INTO runs VALUES (?, ?, ?, ?)", row).unwrap();
    let listed = done(&db, &["list"]);
    assert!(listed.contains("does not count: it is dated 2099-11-01"), "{listed}");
    assert_eq!(done(&db, &["export", "--latest", "1"]), exported);
    let output = history(&db, &["show", "mcs/kvm"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(": too few to tell of any change"), "{said}");
    assert!(
        output.status.code() == Some(1) && said.contains("Failed in the latest night: mcs/kvm"),
        "{said}"
    );
    let lines = dir.path().join("h.jsonl");
    fs::write(&lines, format!("{record}\n{exported}")).unwrap();
    let copy = dir.path().join("copy.db");
    assert!(refused(&copy, &["import", text(&lines)]).contains("nothing was imported"));
    assert!(!copy.exists());
}

#[test]
fn a_run_without_a_date_is_refused_wherever_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let run = super::compare::night(dir.path(), 1, 1.0);
    let exported = {
        done(&db, &["add", text(&run)]);
        done(&db, &["export"])
    };
    rewrite(&run, "2025-11-01T03:15:00Z", "2025-02-30T03:15:00Z");
    assert!(refused(&db, &["add", text(&run)]).contains("is no date and time like"));
    let output = lockbench().arg("report").arg(&run).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let lines = dir.path().join("h.jsonl");
    fs::write(&lines, exported.replace("2025-11-01T03:15:00Z", "notadate")).unwrap();
    let said = refused(&dir.path().join("copy.db"), &["import", text(&lines)]);
    assert!(said.contains("line 1 does not say when its run was started: `notadate`"), "{said}");
}

#[test]
fn the_same_id_with_other_content_is_refused_and_the_same_content_is_there_already() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let run = super::compare::night(dir.path(), 3, 1.0);
    done(&db, &["add", text(&run)]);
    assert!(done(&db, &["add", text(&run), "--report", "elsewhere.html"]).contains("was there already"));
    let before = done(&db, &["export"]);
    let changed = super::compare::night(dir.path(), 3, 0.5);
    let said = refused(&db, &["add", text(&changed)]);
    assert!(said.contains("with other content, which stays as it is"), "{said}");
    assert_eq!(done(&db, &["export"]), before);
}

#[test]
fn a_night_whose_clock_was_put_back_is_added_and_said_not_to_be_the_latest() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let nights: Vec<_> = [7, 8, 5].iter().map(|&day| super::compare::night(dir.path(), day, 1.0)).collect();
    for night in &nights[..2] {
        let output = history(&db, &["add", text(night)]);
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let output = history(&db, &["add", text(&nights[2])]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("began before 2 runs already there: the latest night is another"), "{said}");
}

#[test]
fn a_night_in_which_nothing_was_measured_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let empty = skipping(dir.path(), 4, &[""]);
    let said = refused(&db, &["add", text(&empty)]);
    assert!(said.contains("an empty night is none: no <b>descriptor</b> was free ("), "{said}");
    assert!(!db.exists());
    let night = super::compare::night(dir.path(), 3, 1.0);
    let output = lockbench().arg("compare").args([&night, &empty]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("nothing was measured in"), "{said}");
}

#[test]
fn cells_skipped_five_nights_running_are_reported_with_since_when_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("h.db");
    let cell = "tas/native/short+exp/2v:2p/compact/pinned";
    for day in 1..=6 {
        let skipped: &[&str] = if day > 2 { &["tas/native/"] } else { &[] };
        done_or_failed(&db, &["add", text(&skipping(dir.path(), day, skipped))]);
    }
    let said = done_or_failed(&db, &["show", "tas/native"]);
    assert!(!said.contains("Skipped for"), "four nights are not reported yet: {said}");
    let seventh = skipping(dir.path(), 7, &["tas/native/"]);
    let added = done_or_failed(&db, &["add", text(&seventh)]);
    assert!(added.contains(" skipped, "), "{added}");
    let said = done_or_failed(&db, &["show", "tas/native"]);
    assert!(
        said.contains("Skipped for 5 nights running, since 2025-11-03, last measured on 2025-11-02 ("),
        "{said}"
    );
    assert!(
        said.contains("): no <b>descriptor</b> was free") && said.contains(&format!("    {cell}")),
        "{said}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&done_or_failed(&db, &["show", "--json", "tas/native"])).unwrap();
    let skip = json.as_array().unwrap().iter().find(|one| one["nights"] == 5).unwrap();
    assert_eq!((&skip["since"], &skip["measured"]), (&"2025-11-03".into(), &"2025-11-02".into()));
    assert!(skip["skipped"].as_array().unwrap().iter().any(|one| one == cell), "{skip}");
    let night = super::compare::night(dir.path(), 2, 1.0);
    let output = lockbench().arg("compare").args([&night, &seventh]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("cells of BASE skipped in NEW: no <b>descriptor</b> was free: tas/native"),
        "{said}"
    );
    // Once measured again it is forgotten.
    done_or_failed(&db, &["add", text(&super::compare::night(dir.path(), 8, 1.0))]);
    assert!(!done_or_failed(&db, &["show", "tas/native"]).contains("Skipped for"));
}

/// What it printed; other cells of the synthetic nights fail.
fn done_or_failed(db: &Path, args: &[&str]) -> String {
    let output = history(db, args);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
