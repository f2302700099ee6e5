//! Cells under the emulated hypervisor: no verdict or sentence mixes them with others, and each says how they were scheduled.

use lockbench_reports::derive::derive;
use lockbench_reports::derive::timeslice::timeslice;
use lockbench_reports::judge::trust;
use lockbench_reports::judge::verdicts::{headline, judge, main_step, steps};
use lockbench_reports::record::{Cell, CellReplay, Line, Outcome, Results, Stretch, StretchEnd, Thresholds};
use lockbench_reports::show::ending::{Layout, ending};
use lockbench_reports::show::plots::{Figure, figures};
use lockbench_reports::show::{html, summary, trace_export};

use crate::fixture;

const WORDS: &str = "in round-robin slices of 10 ms";

/// Host-scheduled cells and scheduled ones.
fn both() -> Results {
    let mut results = derive(fixture::lines(7, 1.0).into_iter());
    judge(&mut results, Thresholds::default());
    results
}

/// Nothing but cells under the emulated hypervisor.
fn scheduled_only() -> Results {
    let under = |id: &str| id.contains("/scheduler=round-robin");
    let lines = fixture::lines(7, 1.0).into_iter().filter_map(|line| match line {
        Line::Header(mut header) => {
            header.cells.retain(|cell| under(&cell.id));
            header.dropped.clear();
            Some(Line::Header(header))
        }
        Line::Round(round) => under(&round.cell).then_some(Line::Round(round)),
        end => Some(end),
    });
    let mut results = derive(lines);
    judge(&mut results, Thresholds::default());
    results
}

fn cell<'a>(results: &'a Results, id: &str) -> &'a Cell {
    results.cells.iter().find(|cell| cell.axes.id.starts_with(id) && cell.schedule.is_some()).expect(id)
}

#[test]
fn a_run_of_scheduled_cells_says_so_in_words() {
    let results = scheduled_only();
    let all = steps(&results);
    let said = headline(main_step(&all).unwrap());
    assert!(said.starts_with(&format!("At 2 vCPUs per CPU, {WORDS}, ")), "{said}");
    let (told, whole) = (ending(&results, Layout::PLAIN), summary::whole(&results));
    assert!(
        told.contains(WORDS) && whole.contains(&format!("emulated, short+exp, compact, pinned, {WORDS}")),
        "{whole}"
    );
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    assert!(page.contains(&format!("What each lock keeps of its rate, kvm at 2x, {WORDS}")));
    for text in [told, whole, page] {
        // In ids it stands behind a slash, and in the page's data it is compressed.
        for (at, _) in text.match_indices("scheduler=") {
            assert_eq!(&text[at - 1..at], "/", "{}", &text[at.saturating_sub(200)..at + 40]);
        }
    }
    let titles: Vec<String> = figures(&results)
        .unwrap()
        .into_iter()
        .filter_map(|figure| if let Figure::Drawn(plot) = figure { Some(plot.title) } else { None })
        .collect();
    for title in titles.iter().filter(|title| title.contains("emulated") || title.contains("kvm")) {
        assert!(title.contains(WORDS), "{title}");
    }
}

#[test]
fn no_verdict_mixes_schedules() {
    let results = both();
    for step in steps(&results) {
        assert!(step.verdicts.iter().all(|verdict| verdict.cell.axes.told_schedule() == step.schedule()));
    }
    let pairs = trust::pairs(&results);
    assert!(!pairs.is_empty() && pairs.iter().all(|pair| pair.emulated.schedule.is_none()));
    // Each is judged beside its own kind at 1x, whose rate is not that of the others.
    let ticket = cell(&results, "ticket/emulated/short+exp/4v:2p");
    let one = cell(&results, "ticket/emulated/short+exp/2v:2p").ops_per_second.unwrap().median;
    let kept = ticket.verdict.as_ref().unwrap().kept.unwrap().median;
    let own = ticket.ops_per_second.unwrap().median / one;
    assert!((kept / own - 1.0).abs() < 0.1, "{kept} {own}");
    let only = scheduled_only();
    let pairs = trust::pairs(&only);
    assert!(!pairs.is_empty() && pairs.iter().all(|pair| pair.emulated.schedule.is_some()));
    assert!(trust::sentence(&only).contains(WORDS), "{}", trust::sentence(&only));
}

#[test]
fn the_timeslice_of_a_scheduled_cell_is_that_of_its_schedule() {
    let results = both();
    let slice = |id: &str| timeslice(&results, cell(&results, id)).unwrap().median;
    // The kernel's own is 4 ms there.
    assert!((slice("ticket/emulated/short+exp/4v:2p") / 10e6 - 1.0).abs() < 0.02);
    assert_eq!(slice("ticket/emulated/short+exp/2v:2p"), 10e6, "none ended, so it is the one asked for");
}

/// A yield to another vCPU counts as forced with the kernel: 3 µs at a stretch are no timeslice.
#[test]
fn waiters_that_sleep_or_yield_tell_no_timeslice() {
    let slice = |yields: u64, blocks: bool| {
        let mut results = derive(fixture::lines(7, 1.0).into_iter());
        results.locks.iter_mut().filter(|lock| lock.name == "tas").for_each(|lock| lock.blocks = blocks);
        let id = "tas/emulated/short+exp/4v:2p";
        let at = results.cells.iter().position(|cell| cell.axes.id.starts_with(id)).unwrap();
        let tas = &mut results.cells[at];
        tas.counters.insert("yield".into(), yields);
        tas.counters.insert("involuntary_switches".into(), 1000);
        tas.counters.insert("voluntary_switches".into(), 0);
        for round in &mut tas.rounds {
            if let Outcome::Measured(measured) = &mut round.outcome {
                measured.slice_ns = Some(3000.0);
            }
        }
        timeslice(&results, &results.cells[at]).unwrap().median
    };
    assert_eq!(slice(0, false), 3000.0, "a lock that spins tells its own");
    assert!(slice(990, false) > 1e6, "what its yields leave is no timeslice");
    assert!(slice(0, true) > 1e6, "how a sleeping lock of others waits is not known");
}

/// The section of a page on schedules; none where it has none.
fn page_section(results: &Results) -> Option<String> {
    let page = html::render(std::slice::from_ref(results)).unwrap();
    let section = page
        .split("<section id=\"r0-schedules\"")
        .nth(1)
        .map(|rest| rest.split("</section>").next().unwrap().to_owned());
    assert_eq!(section.is_some(), page.contains("<a href=\"#r0-schedules\">Schedules</a>"));
    section
}

#[test]
fn the_page_says_what_was_asked_and_what_was_kept() {
    let results = scheduled_only();
    let section = page_section(&results).unwrap();
    let (not, all) = results
        .cells
        .iter()
        .filter_map(|cell| cell.schedule.as_ref())
        .fold((0, 0), |(not, all), kept| (not + kept.not_kept, all + kept.windows));
    assert!(
        not > 0 && section.contains(&format!("In {not} of {all} windows the log and the kernel")),
        "{section}"
    );
    for said in [
        "real-time priority (SCHED_FIFO) in every window",
        "come from the same source",
        "each checks the other",
    ] {
        assert!(section.contains(said), "{said}");
    }
    assert!(section.contains("7 of 7 windows not kept") || section.contains("6 of 6 windows not kept"));
    let of_kernel = derive(fixture::lines(7, 1.0).into_iter().map(|line| match line {
        Line::Header(mut header) => {
            header.cells.retain(|cell| !cell.id.contains("/scheduler="));
            Line::Header(header)
        }
        other => other,
    }));
    assert!(page_section(&of_kernel).is_none());
}

#[test]
fn a_lane_for_each_pcpu_has_a_bar_with_its_values_for_each_stretch() {
    let section = page_section(&scheduled_only()).unwrap();
    let figures: Vec<&str> = section.split("<figure id=\"r0-plot-lanes-").skip(1).collect();
    assert_eq!(figures.len(), 4, "of four kinds of cells");
    for figure in &figures {
        let (svg, rest) = figure.split_once("</svg>").unwrap();
        let bars = svg.matches("<title>v").count();
        let named =
            svg.matches(", then paused</title>").count() + svg.matches(", then halted</title>").count();
        assert!(svg.contains("\nP0\n") && svg.contains("\nP1\n") && (20..=60).contains(&bars), "{bars}");
        assert!(named >= 20 && rest.contains("v3"), "{named}");
    }
    let halts = figures.iter().find(|figure| figure.contains("pv-ticket")).unwrap();
    assert!(halts.contains("the vCPU halted") && halts.contains(" halted</title>"));
    assert!(figures.iter().any(|figure| figure.contains("it was paused while it held the lock</title>")));
}

/// Cells with more vCPUs than pCPUs, the first of which is a case with these machines.
fn with_machines(vms: &serde_json::Value) -> Results {
    let mut results = scheduled_only();
    results.cells.retain(|cell| cell.axes.overcommit > 1.0);
    let case = serde_json::json!({"scenario": "s", "name": "c", "shows": "", "vms": vms});
    results.cells[0].axes.case = Some(serde_json::from_value(case).unwrap());
    results
}

/// The logs of all windows of the first cell.
fn logs(results: &mut Results) -> impl Iterator<Item = &mut Vec<Stretch>> {
    let measured = results.cells[0].rounds.iter_mut().filter_map(|round| match &mut round.outcome {
        Outcome::Measured(measured) => measured.schedule.as_mut(),
        _ => None,
    });
    measured.map(|schedule| &mut schedule.log)
}

/// The lanes of the case, and their legend.
fn lanes_of_case(results: &Results) -> (String, String) {
    let page = html::render(std::slice::from_ref(results)).unwrap();
    let figure = page.split("<figure id=\"r0-plot-lanes-scenario0-0\"").nth(1).unwrap();
    let figure = figure.split("</figure>").next().unwrap();
    (figure.to_owned(), figure.split("</ul>").next().unwrap().to_owned())
}

#[test]
fn with_several_virtual_machines_the_colours_are_theirs() {
    let vms = ["database", "<hog>"].map(|name| serde_json::json!({"name": name, "vcpus": 2}));
    let (_, legend) = lanes_of_case(&with_machines(&vms.into()));
    assert!(legend.contains("</svg> database</li>") && legend.contains("&lt;hog&gt;</li>"), "{legend}");
    assert!(!legend.contains("</svg> v0</li>"));
}

/// With one colour nobody could see where a vCPU gave way to another.
#[test]
fn vcpus_of_the_only_machine_of_a_case_have_colours_of_their_own() {
    let (_, legend) = lanes_of_case(&with_machines(&serde_json::json!([{"name": "guest", "vcpus": 4}])));
    assert!(legend.contains("</svg> v0</li>") && legend.contains("</svg> v3</li>"), "{legend}");
    assert!(!legend.contains("</svg> guest</li>"), "{legend}");
}

#[test]
fn a_name_is_left_out_of_a_bar_where_the_mark_of_a_halt_would_cover_it() {
    let names = |end: StretchEnd| {
        let mut results = with_machines(&serde_json::json!([{"name": "guest", "vcpus": 4}]));
        for log in logs(&mut results) {
            // Of the 120 ms that are shown, 6 ms have room for a name, and not for one with marks at both ends.
            let stretch =
                |nth: i64| Stretch::of_vcpu(0, nth as u32 % 4, nth * 6_000_000, (nth + 1) * 6_000_000, end);
            *log = (0..40).map(stretch).collect();
        }
        let (figure, _) = lanes_of_case(&results);
        (figure.matches(">v1</text>").count(), figure.matches("<title>v1 on P0 from").count())
    };
    assert_eq!(names(StretchEnd::Paused), (5, 5));
    assert_eq!(names(StretchEnd::Halted), (0, 5));
}

#[test]
fn lanes_tell_threads_of_a_guest_with_their_vcpus_which_have_the_colours() {
    let one = serde_json::json!({"name": "guest", "vcpus": 2, "threads_per_vcpu": 2});
    let mut results = with_machines(&serde_json::json!([one]));
    assert_eq!(results.cells[0].axes.case.as_ref().unwrap().vcpus_of_users(), [0, 1, 0, 1]);
    for stretch in logs(&mut results).flatten() {
        stretch.of_vcpu = Some(stretch.vcpu % 2);
        stretch.by_guest = stretch.end == StretchEnd::Paused && stretch.vcpu < 2;
    }
    let (figure, legend) = lanes_of_case(&results);
    assert!(figure.contains("<title>t3 on v1 on P"), "{figure}");
    assert!(figure.contains("then paused by its guest") && figure.contains(", then paused</title>"));
    assert!(legend.contains("</svg> v0</li>") && legend.contains("</svg> v1</li>"), "{legend}");
    assert!(!legend.contains("</svg> v2</li>") && !legend.contains("</svg> guest</li>"), "{legend}");
    assert!(figure.contains("which have the colours: t5 on v1 is thread 5"), "{figure}");
    for stretch in logs(&mut results).flatten() {
        stretch.end = StretchEnd::Halted;
    }
    assert!(lanes_of_case(&results).1.contains("the thread halted"));
    let two = serde_json::json!({"name": "other", "vcpus": 1});
    results.cells[0].axes.case.as_mut().unwrap().vms.push(serde_json::from_value(two).unwrap());
    let (figure, legend) = lanes_of_case(&results);
    assert!(figure.contains("threads on its vCPUs: t5 on v1 is thread 5"), "{figure}");
    assert!(legend.contains("</svg> guest</li>") && !legend.contains("</svg> v0</li>"), "{legend}");
}

#[test]
fn perfetto_gets_a_track_for_each_pcpu() {
    let results = scheduled_only();
    let cell = cell(&results, "pv-ticket/emulated/short+exp/4v:2p");
    let trace = trace_export::chrome_of_worst(cell).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let name = |event: &serde_json::Value| event["args"]["name"].as_str().map(str::to_owned);
    let tracks: Vec<u64> = events
        .iter()
        .filter(|event| event["ph"] == "M" && name(event).is_some_and(|name| name.starts_with('P')))
        .map(|event| event["tid"].as_u64().unwrap())
        .collect();
    assert_eq!(tracks.len(), 2);
    let stretches = events.iter().filter(|event| event["cat"] == "pCPU");
    let kept = &cell.rounds.iter().find_map(|round| {
        let log = &round.measured()?.schedule.as_ref()?.log;
        (!log.is_empty()).then_some(log)
    });
    assert_eq!(stretches.clone().count(), kept.unwrap().len());
    // The trace lies where it was in the window, which the log begins before.
    let first = kept.unwrap()[0].from_ns;
    let waits =
        events.iter().filter(|event| event["name"] == "waiting").map(|event| event["ts"].as_f64().unwrap());
    let began = waits.reduce(f64::min).unwrap();
    assert!((began * 1e3 - (fixture::schedules::TRACED_FROM - first) as f64).abs() < 1.0, "{began}");
    for track in tracks {
        let mut end = 0.0;
        for event in stretches.clone().filter(|event| event["tid"] == track) {
            let (at, long) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
            assert!(at >= end - 1e-6 && long >= 0.0, "{event}");
            end = at + long;
        }
    }
    let all = trace_export::chrome(&results).unwrap();
    let processes =
        all["traceEvents"].as_array().unwrap().iter().filter(|event| event["name"] == "process_name");
    assert_eq!(processes.count(), results.cells.len(), "the log of a cell that was not traced is there too");
}

#[test]
fn the_report_says_how_exact_replays_were_and_what_they_withhold() {
    let mut results = scheduled_only();
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    assert!(!page.contains("Replays: "), "nothing was replayed");
    let replay = CellReplay {
        planned: 80,
        done: 30,
        error_ns: Some([141_000.0, 8_200_000.0]),
        left_over_share: 0.375,
        ..CellReplay::default()
    };
    results.cells[0].schedule.as_mut().unwrap().replay = Some(replay);
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    let (_, said) = page.split_once("Replays: ").expect("the section says nothing of replays");
    let said: String = said.split('<').next().unwrap().replace('\u{a0}', " ");
    assert!(
        said.starts_with("of 80 instants") && said.contains("away 30 were followed, at most 141"),
        "{said}"
    );
    assert!(said.contains("stays idle, at most 37.5 %") && !said.contains("  "), "{said}");
}
