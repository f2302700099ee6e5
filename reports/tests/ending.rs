//! How a run ends on a terminal.

use lockbench_reports::derive::derive;
use lockbench_reports::record::Results;
use lockbench_reports::show::ending::{Layout, ending, missing};
use lockbench_reports::show::summary;

use crate::{fixture, many, standard};

fn results() -> Results {
    derive(fixture::lines(7, 1.0).into_iter())
}

#[test]
fn the_end_of_a_run() {
    insta::assert_snapshot!(ending(&results(), Layout::PLAIN));
}

/// A standard run of twelve locks ends within 18 lines of 100 columns, of which three are the caller's: what is missing, what to do
/// next, and the path.
#[test]
fn the_end_of_a_standard_run() {
    let text = ending(&derive(standard::lines().into_iter()), Layout::PLAIN);
    assert!(text.lines().count() <= 15, "{text}");
    insta::assert_snapshot!(text);
}

/// Where a run has many locks, each line names the user's own and some of the others.
#[test]
fn an_own_lock_is_named_among_thirty() {
    let text = ending(&derive(many::lines(fixture::lines(7, 1.0)).into_iter()), Layout::PLAIN);
    let label = |lock: &str| text.split_once(&format!("{lock} (yours)")).is_some();
    assert!(label("own-5-0") && label("own-5-1"), "{text}");
    assert!(text.contains(", and ") && text.contains(" more"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("yours      own-5-")), "{text}");
    assert!(text.lines().count() <= 22, "{text}");
}

#[test]
fn a_run_without_own_locks_says_nothing_of_them() {
    assert!(!ending(&results(), Layout::PLAIN).contains("yours"));
}

#[test]
fn lines_end_at_words_within_the_width() {
    for width in [40, 60, 80, 132] {
        let text = ending(&results(), Layout { width, colours: false });
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
    }
    let wide = ending(&results(), Layout { width: usize::MAX, colours: false });
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&wide), words(&ending(&results(), Layout { width: 50, colours: false })));
    assert!(wide.lines().count() <= 15, "{wide}");
}

#[test]
fn colours_change_no_word() {
    let layout = Layout { width: 80, colours: true };
    let coloured = ending(&results(), layout);
    assert!(coloured.contains("\u{1b}[31mcollapses\u{1b}[0m"));
    let mut plain = coloured;
    for code in ["0", "1", "31", "32", "33"] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(plain, ending(&results(), Layout { colours: false, ..layout }));
}

#[test]
fn the_whole_text_has_answers_tables_laws_and_what_is_missing() {
    let whole = summary::whole(&results());
    for part in [
        "1. Problem:",
        "acquisitions per second (interval)",
        "Laws beside measurements:\n",
        "500/s predicted from a timeslice of 4.00 ms on 2 pCPUs",
        "not planned (1): did not fit in 60 s",
    ] {
        assert!(whole.contains(part), "{part}");
    }
}

/// A lock that halts its waiters was run, though nothing can be told of it: that is not the same as none.
#[test]
fn a_cure_of_which_nothing_can_be_told_is_not_left_out() {
    let lines = fixture::lines(7, 1.0).into_iter().filter(|line| {
        !matches!(line, lockbench_reports::record::Line::Round(round)
            if round.cell.starts_with("pv-") && round.cell.contains("2v:2p"))
    });
    let text = ending(&derive(lines), Layout { width: usize::MAX, colours: false });
    let line = text.lines().find(|line| line.starts_with("threshold")).unwrap();
    assert!(line.contains("What pv-ticket keeps cannot be told."), "{line}");
}

/// A lock that died is named with its reason, however many cells are missing for another.
#[test]
fn the_end_of_a_run_says_what_killed_a_cell() {
    let text = missing(&results(), Layout { width: usize::MAX, colours: false }, |_| true);
    let lines: Vec<&str> = text.lines().collect();
    let begin = [
        "broken     tas at 4x in emulated: counter 41,200 but operations sum to 41,207 (in 1 of 6 windows).",
        "crashed    mcs at 3x in kvm: killed by signal 11 (SIGSEGV) (in 1 of 6 windows).",
        "hung       mcs at 4x in kvm: no acquisition in 2 s.",
        "missing    ",
    ];
    assert_eq!(lines.len(), begin.len(), "{text}");
    assert!(lines.iter().zip(begin).all(|(line, begin)| line.starts_with(begin)), "{text}");
    assert!(lines[3].contains("std-mutex makes system calls") && !lines[3].contains("SIGSEGV"), "{text}");
    let of_tas = missing(&results(), Layout::PLAIN, |lock| lock == "tas");
    assert!(of_tas.starts_with("broken ") && !of_tas.contains("crashed "), "{of_tas}");
}
