//! What is told of our locks beside those that people use.

use std::collections::BTreeSet;

use lockbench_reports::derive::derive;
use lockbench_reports::judge::briefs::briefs;
use lockbench_reports::judge::peers::{Beside, Ground, Standing, besides, kernels_own};
use lockbench_reports::judge::verdicts::judge;
use lockbench_reports::record::{Cell, Line, Results, SharedObject, Thresholds};
use lockbench_reports::show::ending::{Layout, ending};
use lockbench_reports::show::{html, summary};

use crate::briefs::{brief, cut};
use crate::{fixture, peers};

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
