//! Short answers: what they say of runs that are not as one would wish.

use std::collections::BTreeSet;

use lockbench_reports::derive::derive;
use lockbench_reports::judge::briefs::{Brief, briefs};
use lockbench_reports::judge::peers::{Beside, Ground, Standing, besides, kernels_own};
use lockbench_reports::judge::verdicts::{headline, judge, main_step, steps, tells_more};
use lockbench_reports::record::{
    Admission, Carried, Cell, Line, Measured, Outcome, Purpose, Results, Round, SharedObject, Thresholds,
};
use lockbench_reports::show::ending::{Layout, ending};
use lockbench_reports::show::{html, summary};

use crate::{fixture, peers};

fn judged(lines: impl IntoIterator<Item = Line>) -> Results {
    let mut results = derive(lines.into_iter());
    judge(&mut results, Thresholds::default());
    results
}

/// The fixture's lines, with what was measured changed.
fn changed(change: impl Fn(&Round, &mut Measured)) -> Vec<Line> {
    let mut lines = fixture::lines(7, 1.0);
    for line in &mut lines {
        if let Line::Round(round) = line {
            let before = round.clone();
            if let Outcome::Measured(measured) = &mut round.outcome {
                change(&before, measured);
            }
        }
    }
    lines
}

fn brief(results: &Results, word: &str) -> Brief {
    briefs(results).into_iter().find(|brief| brief.word == word).unwrap()
}

/// The first so many rounds of the fixture.
fn cut(rounds: u32) -> Vec<Line> {
    let kept = |line: &Line| !matches!(line, Line::Round(round) if round.round >= rounds);
    let mut lines: Vec<Line> = fixture::lines(7, 1.0).into_iter().filter(kept).collect();
    if let Some(Line::Header(header)) = lines.first_mut() {
        header.rounds = rounds;
    }
    lines
}

/// What is told of a cell with another workload than the report begins with names that workload; and no trace is asked for where
/// none can be had.
#[test]
fn a_law_of_another_workload_says_of_which() {
    let mut lines = changed(|_, measured| measured.causes = None);
    if let Some(Line::Header(header)) = lines.first_mut() {
        for axes in header.cells.iter_mut().filter(|axes| axes.env == "kvm") {
            let workload = &mut axes.workload;
            (workload.name, workload.section, workload.locks) = ("nested".into(), "nested".into(), 2);
        }
    }
    let why = brief(&judged(lines), "why").said;
    assert!(why.starts_with("Events of several locks are not traced."), "{why}");
    assert!(why.contains("for ticket (emulated at 2x with short+exp), which did"), "{why}");
}

/// A cell of which one measurement is many times the other is named, and its distance does not stand for its whole group.
#[test]
fn a_cell_that_came_out_far_apart_when_run_twice_is_named() {
    let quiet = brief(&judged(fixture::lines(7, 1.0)), "noise");
    assert!(
        quiet.said.starts_with("The same cell run twice agreed within 1.93 % (one vCPU), 1.74 %"),
        "{}",
        quiet.said
    );
    assert!(quiet.said.ends_with("16.0 % (above 1x)."), "{}", quiet.said);
    assert!(
        quiet.small.contains("ticket (native") || quiet.small.contains("ticket (emulated"),
        "{}",
        quiet.small
    );

    let lines = changed(|round, measured| {
        if round.purpose == Purpose::Twin && round.cell.contains("/4v:2p/") && round.round == 2 {
            measured.operations.iter_mut().for_each(|operations| *operations *= 90);
        }
    });
    let noisy = brief(&judged(lines), "noise");
    assert!(
        noisy.said.contains("agreed within 1.93 % (one vCPU), 1.74 % (several vCPUs at 1x). "),
        "{}",
        noisy.said
    );
    assert!(noisy.said.contains("Not so ticket (emulated at 2x), up to "), "{}", noisy.said);
    assert!(noisy.said.contains(" times apart: no smaller difference is called there."), "{}", noisy.said);
    assert!(!noisy.said.contains("00 %"), "no percentage in thousands: {}", noisy.said);
}

#[test]
fn three_rounds_say_why_nothing_can_be_told_and_what_to_run() {
    let results = judged(cut(3));
    let steps = steps(&results);
    let step = main_step(&steps).unwrap();
    let said = headline(step);
    assert!(
        said.ends_with("whether it holds: 3 usable rounds give an interval of 75 %; 5 rounds are needed."),
        "{said}"
    );
    let next = tells_more(&results, step).unwrap();
    assert_eq!(
        next,
        "A verdict needs 5 rounds and this run has 3: `lockbench suite --profile quick` takes 6 in a minute."
    );
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    assert!(page.contains("<code>lockbench suite --profile quick</code> takes 6 in a minute."));
}

/// 10.6 ns beside 18.8 ns are not close; three rounds tell nothing of them.
#[test]
fn a_price_that_cannot_be_told_says_why() {
    let price = brief(&judged(cut(3)), "price").said;
    assert!(price.starts_with("Of pv-ticket-off it cannot be told: 6."), "{price}");
    assert!(price.contains("; 3 usable rounds, an interval of 75 %; 5 are needed."), "{price}");
}

/// What costs up to the margin is not said to cost nothing.
#[test]
fn locks_that_take_as_long_as_the_plain_one_stand_in_one_sentence() {
    let lines = changed(|round, measured| {
        let empty = round.cell.contains("/native/empty/1v:1p/");
        if empty && ["pvops-ticket/", "pv-ticket-off/"].iter().any(|lock| round.cell.starts_with(lock)) {
            measured.operations.iter_mut().for_each(|operations| *operations = 35_000_000);
        } else if empty && round.cell.starts_with("ticket/") {
            measured.operations.iter_mut().for_each(|operations| *operations = 34_800_000);
        }
    });
    let price = brief(&judged(lines), "price").said;
    assert_eq!(price, "Under 5 %: pv-ticket-off 5.71 ns a lock and unlock, pvops-ticket 5.71, ticket 5.75.");
}

/// Two locks that carry something of no use are told, and the user's own beside them.
#[test]
fn the_price_of_an_own_lock_is_told_beside_those_of_two_others() {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    let tas = results.locks.iter_mut().find(|lock| lock.name == "tas").unwrap();
    (tas.own, tas.baseline) = (true, Some("ticket".into()));
    judge(&mut results, Thresholds::default());
    let price = brief(&results, "price").short.unwrap();
    for lock in ["pv-ticket-off ", "pvops-ticket ", "tas "] {
        assert!(price.contains(lock), "{lock}: {price}");
    }
}

/// The fixture with locks that people use.
fn with_peers() -> Results {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    peers::among(&mut results.locks);
    judge(&mut results, Thresholds::default());
    results
}

#[test]
fn where_ours_lose_beside_locks_that_people_use_is_told() {
    let results = with_peers();
    let besides = besides(&results);
    let standing = |ground, ours: &str, theirs: &str| {
        let told = besides.iter().find(|beside| {
            beside.ground == ground && (&*beside.ours.axes.lock, &*beside.theirs.axes.lock) == (ours, theirs)
        });
        told.map(|beside| beside.standing)
    };
    assert_eq!(standing(Ground::Uncontended, "ticket", "tas"), Some(Standing::Loses), "5.7 ns beside 5.1");
    assert_eq!(standing(Ground::Uncontended, "queued", "mcs"), Some(Standing::Level), "6.0 ns beside 8.1");
    assert_eq!(standing(Ground::Contended, "queued", "mcs"), Some(Standing::Shown));
    assert_eq!(standing(Ground::Overcommitted, "pv-queued", "std-mutex"), Some(Standing::Loses));
    assert_eq!(standing(Ground::Overcommitted, "pv-ticket", "std-mutex"), None, "the best of ours alone");
    assert_eq!(standing(Ground::Uncontended, "std-mutex", "ticket"), None);
    let peers = brief(&results, "peers");
    let begin = "Ours lose in 5 of 6 comparisons: pv-queued does 0.";
    let short = peers.short.as_ref().unwrap();
    assert!(peers.said.starts_with(begin) && short.starts_with(begin), "{peers:?}");
    let mutex = ") times the rate of std-mutex, emulated at 4x, fairness 0.";
    assert!(peers.said.contains(mutex) && peers.said.contains(" beside 0."), "the worst: {peers:?}");
    assert!(peers.said.ends_with("; and 2 more.") && short.ends_with("; and 4 more."), "{peers:?}");
    let ticket = besides.iter().find(|beside| beside.standing == Standing::Loses).unwrap();
    assert!(ticket.told().ends_with(") times the rate of tas, native on one vCPU"), "{}", ticket.told());
}

/// A better lock than any kernel's is none that a guest has: the best that a kernel has is asked too.
#[test]
fn the_best_lock_of_a_kernel_stands_beside_mutexes_that_sleep_where_another_is_better() {
    let asked = |kernels: &[&str]| {
        let mut results = with_peers();
        for lock in results.locks.iter_mut().filter(|lock| kernels.contains(&lock.name.as_str())) {
            lock.lock_of = Some("a guest".into());
        }
        let mut asked: Vec<String> = besides(&results)
            .into_iter()
            .filter(|beside| beside.ground == Ground::Overcommitted)
            .map(|beside| beside.ours.axes.lock.clone())
            .collect();
        asked.sort_unstable();
        asked.dedup();
        asked
    };
    assert_eq!(asked(&[]), ["pv-queued"]);
    assert_eq!(asked(&["pv-ticket"]), ["pv-queued", "pv-ticket"]);
    assert_eq!(asked(&["pv-ticket", "pv-queued"]), ["pv-queued"]);
}

/// A library's ticket lock has instructions that no kernel had, and so has the lock of ours that it names.
#[test]
fn why_a_kernels_lock_is_slower_than_a_librarys_is_told_where_both_were_run() {
    let against = |ours: &str, theirs: &str| {
        let mut results = with_peers();
        for lock in &mut results.locks {
            lock.peer = lock.name == theirs;
            if lock.name == ours {
                (lock.kernel, lock.baseline) = (None, Some("ticket".into()));
                lock.carries = Some("no kernel's: it counts apart".into());
            } else if lock.name == theirs {
                lock.baseline = Some(ours.into());
            }
        }
        results
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(kernels_own(&with_peers()), none, "ticket itself is compared with tas");
    assert_eq!(kernels_own(&against("tas", "mcs")), none, "what is not slower needs no reason");
    let mut slower = against("mcs", "tas");
    let told = kernels_own(&slower);
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.starts_with("ticket does 0.89"), "{told}");
    let why = " times the rate of tas, native on one vCPU, for it keeps the kernel's own instructions; mcs, which is compared in its \
               place, is no kernel's: it counts apart";
    assert!(told.ends_with(why), "{told}");
    assert!(summary::whole(&slower).contains(&format!("\n  {told}\n")));
    let page = html::render(std::slice::from_ref(&slower)).unwrap();
    assert!(page.contains("own instructions; mcs, which is compared in its place, is no kernel"), "{told}");
    slower.cells.retain(|cell| cell.axes.lock != "ticket");
    assert_eq!(kernels_own(&slower), none, "ticket was not run");
}

/// A terminal is told of peers only where ours lose, and within the lines that it has.
#[test]
fn the_end_of_a_run_tells_of_peers_where_ours_lose() {
    let mut results = with_peers();
    let lines = |results: &Results| {
        let text = ending(results, Layout::PLAIN);
        assert!(text.lines().count() <= 18, "{text}");
        text.lines().filter(|line| line.starts_with("peers ")).count()
    };
    assert_eq!(lines(&results), 1);
    let text = ending(&results, Layout::PLAIN);
    let of_peers = text.lines().skip_while(|line| !line.starts_with("peers "));
    let of_peers = of_peers.take_while(|line| !line.starts_with("price "));
    assert!(of_peers.count() <= 2, "only the worst: {text}");
    let whole = summary::whole(&results);
    assert!(whole.contains("\nOur locks beside those that people use:\n  ticket does 0.89"), "{whole}");
    assert!(whole.contains(" times the rate of tas, native on one vCPU [loses]\n"), "{whole}");
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    assert!(
        page.contains("<a href=\"#r0-peers\">Peers</a>") && page.contains(">loses<"),
        "the section is there"
    );
    // Without the two that win nothing is lost.
    for lock in &mut results.locks {
        lock.peer = lock.name == "mcs";
    }
    assert_eq!(lines(&results), 0);
    assert!(brief(&results, "peers").said.starts_with("Ours lose in none of 1 comparison."));
    // A run without them says nothing of them.
    results.locks.iter_mut().for_each(|lock| lock.peer = false);
    assert!(briefs(&results).iter().all(|brief| brief.word != "peers"));
    assert!(!html::render(&[results]).unwrap().contains("r0-peers"));
}

/// Where ours or the other failed there is no ratio, and the reason stands in its place.
#[test]
fn of_a_peer_whose_cell_failed_no_number_of_times_is_told() {
    let results = with_peers();
    let whole = summary::whole(&results);
    assert!(!whole.contains("unknown number"), "{whole}");
    let broken = besides(&results).iter().find(|beside| beside.ratio().is_none()).unwrap().told();
    assert!(broken.starts_with("ticket beside tas, emulated, 8 vCPUs on 2 pCPUs: no ratio ("), "{broken}");
    assert!(whole.contains(&broken), "{broken}");
}

/// A run may have several sizes at one step of overcommit.
#[test]
fn no_two_comparisons_with_peers_have_the_same_place() {
    let mut results = with_peers();
    let mut larger: Vec<Cell> =
        results.cells.iter().filter(|cell| cell.axes.id.contains("/2v:2p/")).cloned().collect();
    for axes in larger.iter_mut().map(|cell| &mut cell.axes) {
        (axes.vcpus, axes.pcpus) = (4, vec![0, 1, 2, 3]);
        axes.id = axes.id.replace("/2v:2p/", "/4v:4p/");
    }
    results.cells.extend(larger);
    let besides = besides(&results);
    let named = |beside: &Beside<'_>| {
        (beside.ours.axes.lock.clone(), beside.theirs.axes.lock.clone(), beside.place())
    };
    let places: BTreeSet<_> = besides.iter().map(named).collect();
    assert_eq!(places.len(), besides.len());
    for wanted in ["native, 2 vCPUs on 2 pCPUs", "native, 4 vCPUs on 4 pCPUs"] {
        assert!(places.iter().any(|(.., place)| place == wanted), "{places:?}");
    }
}

/// What algorithm a shared object has only its author knows.
#[test]
fn a_lock_of_a_shared_object_is_not_called_the_same_algorithm() {
    let mut results = with_peers();
    let page = |results: &Results| html::render(std::slice::from_ref(results)).unwrap();
    let section = |page: String| {
        page.split("id=\"r0-peers\"").nth(1).unwrap().split("</section>").next().unwrap().to_owned()
    };
    let names = "names ours to compare with</";
    assert!(!section(page(&results)).contains(names));
    let tas = results.locks.iter_mut().find(|lock| lock.name == "tas").unwrap();
    let object = SharedObject { file: "tas.so".into(), sha256: "0f".repeat(32) };
    (tas.peer, tas.object) = (false, Some(object));
    let page = page(&results);
    assert!(page.contains(&format!("tas.so, SHA-256 {}", "0f".repeat(32))), "which file that was");
    assert!(section(page).contains(names));
}

/// Few rounds tell nothing, however far ours is behind.
#[test]
fn of_few_rounds_no_loss_beside_a_peer_is_told() {
    let mut results = with_peers();
    let few: Vec<Line> = cut(3);
    let locks = std::mem::take(&mut results.locks);
    results = derive(few.into_iter());
    results.locks = locks;
    judge(&mut results, Thresholds::default());
    let peers = brief(&results, "peers");
    assert_eq!(peers.said, "Ours lose in none of 6 comparisons. Of 6 comparisons it cannot be told.");
    assert_eq!(peers.short, None);
}

/// Xen's byte lock has no order of admission, and its waiters halt all the same.
#[test]
fn the_best_lock_that_halts_may_be_one_without_an_order() {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    let byte = results.locks.iter_mut().find(|lock| lock.name == "tas").unwrap();
    (byte.paravirt, byte.order) = (Carried::On, Some(Admission::Unfair));
    byte.baseline = Some("ticket".into());
    judge(&mut results, Thresholds::default());
    let told = brief(&results, "threshold").said;
    let best = "Of the best, tas, it cannot be told whether it holds; it keeps 79.3 %, where ticket keeps 0.00744 %.";
    assert!(told.starts_with(best), "{told}");
}

/// The law's sentence names its lock, for it may be the first that names one.
#[test]
fn a_law_names_its_lock_and_says_where_it_does_not_explain_the_rate() {
    let lines = changed(|round, measured| {
        measured.causes = None;
        if round.cell.starts_with("ticket/kvm/short+exp/4v:2p") {
            measured.operations.iter_mut().for_each(|operations| *operations /= 4);
        }
    });
    let why = brief(&judged(lines), "why").said;
    assert!(why.contains("predicts 500/s for ticket, which did 1"), "{why}");
    assert!(why.ends_with("/s: something else decides as well."), "{why}");
}

/// A run of one lock counts no locks, it names the one.
#[test]
fn one_lock_is_named_in_the_first_sentence() {
    let only = |lock: &'static str| {
        let mut lines = fixture::lines(7, 1.0);
        if let Some(Line::Header(header)) = lines.first_mut() {
            header.cells.retain(|cell| cell.lock == lock && cell.env == "emulated");
        }
        let results = judged(lines);
        headline(main_step(&steps(&results)).unwrap())
    };
    assert_eq!(only("mcs"), "At 2 vCPUs per CPU mcs collapses here.");
    assert!(
        only("tas").starts_with("At 2 vCPUs per CPU it cannot be told whether tas holds: with room"),
        "{}",
        only("tas")
    );
}

/// What is told of a cell that is not of the first screen's step says where it was run.
#[test]
fn what_was_run_elsewhere_says_where() {
    let results = judged(fixture::lines(7, 1.0));
    let [threshold, why] = ["threshold", "why"].map(|word| brief(&results, word).said);
    assert!(threshold.contains("No spin threshold rescues pv-ticket (emulated at 4x): best"), "{threshold}");
    assert!(why.contains("of ticket's handovers met a vCPU"), "kvm at 2x is the step: {why}");
    let mut lines = fixture::lines(7, 1.0);
    if let Some(Line::Header(header)) = lines.first_mut() {
        // At 2x a lock is left that no law speaks of.
        header.cells.retain(|cell| cell.vcpus != 4 || cell.lock == "tas");
    }
    let why = brief(&judged(lines), "why").said;
    assert!(why.contains("for ticket (emulated at 3x), which did"), "{why}");
}

/// More rounds do not help where rounds are lost.
#[test]
fn a_run_that_lost_its_rounds_is_told_to_look_for_what_disturbs_it() {
    let lines = fixture::lines(7, 1.0).into_iter().filter(
        |line| !matches!(line, Line::Round(round) if round.round > 2 && round.cell.contains("/2v:2p/")),
    );
    let results = judged(lines);
    let steps = steps(&results);
    let step = main_step(&steps).unwrap();
    assert_eq!(
        tells_more(&results, step).as_deref(),
        Some(
            "Of 10 locks too few of 6 rounds were usable: `lockbench doctor` says what disturbs this machine."
        )
    );
    let never = |line: &Line| {
        !matches!(line, Line::Round(round) if round.round % 2 == 0 && round.cell.contains("/2v:2p/"))
            && !matches!(line, Line::Round(round) if round.round % 2 == 1 && round.cell.contains("/4v:2p/"))
    };
    let results = judged(fixture::lines(7, 1.0).into_iter().filter(never));
    let cell = results
        .cells
        .iter()
        .find(|cell| cell.axes.id == "ticket/kvm/short+exp/4v:2p/compact/pinned")
        .unwrap();
    let why = cell.verdict.as_ref().unwrap().rate_untold.as_deref();
    assert_eq!(why, Some("no round has usable windows both here and at 1x"));
}

/// Verdicts by other thresholds than the default ones say so wherever they are read.
#[test]
fn the_end_of_a_run_says_by_which_thresholds_it_judged() {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    judge(&mut results, Thresholds::default());
    assert!(!ending(&results, Layout::PLAIN).contains("judged by"));
    judge(&mut results, Thresholds { holds: 0.0001, collapses: 0.00005, ..Thresholds::default() });
    let text = ending(&results, Layout { width: usize::MAX, colours: false });
    assert!(text.contains("\njudged by  Holds: keeps at least 0.0100 % of its rate"), "{text}");
}
