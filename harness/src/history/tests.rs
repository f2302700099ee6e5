//! One suite of tests for every keeper of a history.

use std::collections::BTreeMap;
use std::thread;

use lockbench_reports::derive::digest::{CellDigest, DIGEST_VERSION, Digest, Identity};
use lockbench_reports::judge::history::{Blessing, HistoryLine};
use lockbench_reports::record::Status;

use super::open;

fn digest(machine: &str, run: u32) -> Digest {
    Digest {
        digest_version: DIGEST_VERSION,
        run_id: format!("run-{run:03}"),
        started_at: format!("2025-11-{:02}T03:15:00Z", run % 28 + 1),
        profile: "nightly".into(),
        machine: Identity { cpu_model: machine.into(), ..Identity::default() },
        environment: BTreeMap::from([(
            "kernel".into(),
            "6.18 <script>\u{0}'; DROP TABLE runs; --\u{202e}".into(),
        )]),
        interrupted: false,
        report: None,
        skipped: Vec::new(),
        stopped_after: None,
        noise: Vec::new(),
        cells: vec![cell("ticket/native", None)],
    }
}

fn cell(id: &str, reason: Option<&str>) -> CellDigest {
    CellDigest {
        revision: 1,
        id: id.into(),
        lock: "ticket".into(),
        family: "ticket".into(),
        env: "native".into(),
        class: "one-vcpu".into(),
        halts: false,
        status: Status::Crashed,
        reason: reason.map(str::to_owned),
        measures: Vec::new(),
    }
}

fn key(machine: &str) -> String {
    digest(machine, 0).machine.key()
}

fn stored(location: &str, machine: &str, latest: Option<usize>) -> Vec<Digest> {
    let mut found = Vec::new();
    let mut visit = |digest| {
        found.push(digest);
        Ok(())
    };
    open(location, false).unwrap().each(&key(machine), latest, &mut visit).unwrap();
    found
}

/// What holds of any keeper; `location` is empty when it begins.
fn holds(location: &str) {
    assert!(open(location, false).err().unwrap().to_string().contains("there is no history"));

    // Machines are kept apart, nights in order, and what is there stays as it is.
    let runs: Vec<HistoryLine> = [3, 1, 2].iter().map(|&run| HistoryLine::Run(digest("one", run))).collect();
    let mut store = open(location, true).unwrap();
    assert_eq!(store.put(&runs).unwrap().added, 3);
    store.put(&[HistoryLine::Run(digest("two", 1))]).unwrap();
    let mut elsewhere = digest("one", 1);
    elsewhere.report = Some("elsewhere.html".into());
    let put = store.put(&[HistoryLine::Run(elsewhere)]).unwrap();
    assert_eq!((put.added, put.known), (0, 1), "where its report is makes no other run");
    // The same id with other content is an error, and nothing that came with it is added.
    for change in [
        (|other| other.profile = "changed".into()) as fn(&mut Digest),
        |other| other.started_at = "2025-11-09T03:15:00Z".into(),
        |other| other.cells.clear(),
        |other| other.cells[0].status = Status::Ok,
    ] {
        let mut other = digest("one", 1);
        change(&mut other);
        let refused = store
            .put(&[HistoryLine::Run(digest("one", 9)), HistoryLine::Run(other)])
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("holds a run run-001 with other content, which stays as it is"),
            "{refused}"
        );
    }
    let expected: Vec<Digest> = (1..=3).map(|run| digest("one", run)).collect();
    assert_eq!(stored(location, "one", None), expected);
    assert_eq!(stored(location, "one", Some(2)), expected[1..]);
    assert_eq!(stored(location, "two", None).len(), 1);
    assert!(stored(location, "three", None).is_empty());
    assert_eq!(store.runs().unwrap().len(), 4);

    let blessing = |cells: &str| Blessing {
        machine: key("one"),
        cells: cells.into(),
        run_id: "run-002".into(),
        reason: "wanted: '); DROP TABLE blessings; --".into(),
        blessed_at: "2025-11-23T09:00:00Z".into(),
    };
    let both = [HistoryLine::Blessing(blessing("ticket")), HistoryLine::Blessing(blessing("*"))];
    assert_eq!(store.put(&both).unwrap().added, 2);
    assert_eq!(store.put(&both).unwrap().known, 2);
    assert_eq!(store.blessings(&key("one")).unwrap(), [blessing("*"), blessing("ticket")]);
    assert!(store.blessings(&key("two")).unwrap().is_empty());

    // NULs are replaced by every keeper, so that each of them can look things up.
    let mut odd = digest("odd", 1);
    odd.run_id = "run\0".into();
    odd.cells = vec![cell("ticket\0/native", Some("why\0"))];
    let blessed = Blessing { machine: key("odd"), reason: "\0".into(), ..blessing("ticket\0/native") };
    let both = [HistoryLine::Run(odd), HistoryLine::Blessing(blessed)];
    assert_eq!((store.put(&both).unwrap().added, store.put(&both).unwrap().known), (2, 2));
    let odd = &stored(location, "odd", None)[0];
    assert_eq!((odd.run_id.as_str(), odd.cells[0].id.as_str()), ("run\u{fffd}", "ticket\u{fffd}/native"));
    assert_eq!(store.blessings(&key("odd")).unwrap()[0].cells, odd.cells[0].id);

    // Nights are in the order of their moments, whatever their texts; one that cannot be dated, or is dated ahead, is set
    // aside, and an empty one is none: earlier versions took them in.
    let dated = |run: u32, started_at: &str| {
        let mut digest = digest("clocks", run);
        digest.started_at = started_at.into();
        digest
    };
    let mut empty = dated(6, "2025-11-20T00:00:00Z");
    empty.cells.clear();
    let nights = [
        dated(1, "2025-11-05T01:30:00+02:00"),
        dated(2, "2025-11-04T23:45:00Z"),
        dated(3, "2099-01-01T00:00:00Z"),
        dated(4, "notadate"),
        dated(5, "1970-01-01T00:00:09Z"),
        empty,
    ];
    store.put(&nights.map(HistoryLine::Run)).unwrap();
    let ids = |latest| stored(location, "clocks", latest).into_iter().map(|d| d.run_id).collect::<Vec<_>>();
    assert_eq!(ids(None), ["run-001", "run-002"]);
    assert_eq!(ids(Some(1)), ["run-002"]);
    assert_eq!(stored(location, "clocks", None)[0].started_at, "2025-11-04T23:30:00Z");
    let aside = store.aside().unwrap();
    let aside: Vec<&str> = aside.iter().map(|(run, _)| run.run_id.as_str()).collect();
    assert_eq!(aside, ["run-003", "run-004", "run-005"]);

    // Two writers at once lose nothing.
    thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                for run in 0..25 {
                    let run = HistoryLine::Run(digest("busy", writer * 100 + run));
                    open(location, true).unwrap().put(&[run]).unwrap();
                }
            });
        }
    });
    assert_eq!(stored(location, "busy", None).len(), 100);
}

#[test]
fn a_file() {
    let dir = tempfile::tempdir().unwrap();
    holds(dir.path().join("history.db").to_str().unwrap());
}

#[test]
fn what_is_no_history_is_refused_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("text"), "hello".repeat(1_000)).unwrap();
    rusqlite::Connection::open(path("other")).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    drop(open(&path("newer"), true).unwrap());
    rusqlite::Connection::open(path("newer")).unwrap().pragma_update(None, "user_version", 9).unwrap();
    for (name, says) in [
        ("text", "is not an SQLite database"),
        ("other", "no history of lockbench"),
        ("newer", "newer lockbench"),
        ("missing/dir/file", "cannot be opened"),
        ("", "cannot be opened"),
    ] {
        for create in [true, false] {
            let Err(e) = open(&path(name), create) else { panic!("{name} was opened") };
            let sentence = e.to_string();
            let missing = !create && sentence.contains("there is no history");
            assert!(missing || sentence.contains(says), "{name}: {sentence}");
            assert_eq!(sentence.lines().count(), 1);
        }
    }
    assert!(open("", true).err().unwrap().to_string().contains("cannot be opened"));
    assert_eq!(std::fs::read_to_string(path("text")).unwrap().len(), 5_000, "left alone");
    assert!(open("http://example.org/x", true).err().unwrap().to_string().contains("neither"));
    #[cfg(not(feature = "postgres"))]
    assert!(open("postgres://localhost/x", true).err().unwrap().to_string().contains("--features postgres"));
}

/// Servers of their own, as `.ci/postgres` starts them, which fails where there are none; without them a test says so and passes.
#[cfg(feature = "postgres")]
fn of_ci(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    if value.is_none() {
        eprintln!("skipped: {name} names no server; run .ci/postgres");
    }
    value
}

#[cfg(feature = "postgres")]
#[test]
fn a_server() {
    if let Some(url) = of_ci("LOCKBENCH_TEST_POSTGRES") {
        holds(&url);
    }
}

/// The server takes encrypted connections only, and its certificate is for `localhost`.
#[cfg(feature = "postgres")]
#[test]
fn a_server_with_tls_is_verified_and_nothing_falls_back_to_plain_text() {
    let (Some(plain), Some(url)) = (of_ci("LOCKBENCH_TEST_POSTGRES"), of_ci("LOCKBENCH_TEST_POSTGRES_TLS"))
    else {
        return;
    };
    let authorities = of_ci("LOCKBENCH_TEST_POSTGRES_AUTHORITIES").unwrap();
    let verified =
        |url: &str, by: &str| format!("{url}?sslmode=verify-full&sslrootcert={authorities}/{by}.pem");
    holds(&verified(&url, "right"));
    assert!(open(&format!("{url}?sslmode=require"), false).is_ok());
    let refused = |url: &str, says: &str| {
        let sentence = open(url, false).err().unwrap_or_else(|| panic!("connected: {says}")).to_string();
        assert!(sentence.contains(says) && sentence.lines().count() == 1, "{says}: {sentence}");
    };
    refused(&verified(&url, "wrong"), "UnknownIssuer");
    refused(&format!("{url}?sslmode=verify-full"), "sslrootcert=FILE");
    let other_name = url.replace("@localhost:", "@127.0.0.1:");
    assert_ne!(other_name, url);
    refused(&verified(&other_name, "right"), "not valid for name");
    refused(&format!("{url}?sslmode=disable"), "no encryption");
    for mode in ["require".to_owned(), format!("verify-full&sslrootcert={authorities}/right.pem")] {
        refused(&format!("{plain}?sslmode={mode}"), "server does not support TLS; sslmode=");
    }
}
