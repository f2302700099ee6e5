//! Who had which pCPU when, by the log of the emulated hypervisor: a lane for each pCPU, a bar for each stretch.

use plotters::style::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::{Frame, Pen, label_room, picture};
use super::group::{Group, MARKER};
use super::hatch::{Area, Fill};
use super::style::{COLOURS, INK, Marker, Style};
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::derive::log::{Hit, Logged, logged};
use crate::derive::roster::ordered;
use crate::derive::timeline::timeline;
use crate::format::{duration, overcommit, printable, significant};
use crate::record::{Case, Cell, Layout, Results, Schedule, Status, Stretch, StretchEnd, Vm};

const TITLE: &str = "Who had which pCPU";
/// At most this many cells are drawn.
const MOST: usize = 4;
const MOST_LANES: usize = 24;
const MOST_ROWS: usize = 200;
/// Timeslices that a lane shows, and the most stretches of a lane where vCPUs leave before their timeslice ends.
const SLICES: i64 = 12;
const MOST_BARS: usize = 24;
const LANE: u32 = 40;
/// Half the height of a bar.
const HALF: f64 = 12.0;
/// A bar has room for a name if it is so wide for each letter.
const LETTER: f64 = 8.5;
const PATTERNS: [Fill; 4] = [Fill::Tint, Fill::Rising, Fill::Falling, Fill::Upright];
/// What happened at a bar's end: mark and name.
const HALTED: (Style, &str) = (mark(Marker::Circle), "the vCPU halted");
const THREAD_HALTED: (Style, &str) = (HALTED.0, "the thread halted");
const HOLDING: (Style, &str) = (mark(Marker::Cross), "it was paused while it held the lock");
const GRANTED: (Style, &str) = (mark(Marker::Diamond), "the lock was granted to it while it was paused");

const fn mark(marker: Marker) -> Style {
    Style { colour: INK, marker, dashed: false }
}

/// Plots of the cells whose schedule says most: those that were traced, of different locks and environments. Those of scenarios
/// stand with their scenario.
pub(in crate::show) fn plots(results: &Results) -> Result<Vec<Figure>, Error> {
    let cells = results.cells.iter().filter(|cell| cell.axes.case.is_none());
    let mut cells: Vec<(&Cell, Logged<'_>)> = cells.filter_map(|cell| Some((cell, logged(cell)?))).collect();
    cells.sort_by_key(|(cell, logged)| {
        (cell.status != Status::Ok, logged.trace().is_none(), cell.axes.overcommit <= 1.0)
    });
    let mut chosen: Vec<(&Cell, Logged<'_>)> = Vec::new();
    let kind = |cell: &Cell| (cell.axes.lock.clone(), cell.axes.told_env());
    for (cell, logged) in cells {
        if chosen.len() < MOST && chosen.iter().all(|(known, _)| kind(known) != kind(cell)) {
            chosen.push((cell, logged));
        }
    }
    of_cells(results, &chosen.into_iter().map(|(cell, _)| cell).collect::<Vec<_>>(), "")
}

/// Plots of cells, but for those without a log; `name` makes their ids unique in the page.
pub(in crate::show) fn of_cells(
    results: &Results,
    cells: &[&Cell],
    name: &str,
) -> Result<Vec<Figure>, Error> {
    let logged = cells.iter().filter_map(|cell| Some((*cell, logged(cell)?)));
    let figures = logged
        .enumerate()
        .map(|(index, (cell, logged))| of_cell(results, cell, logged, &format!("{name}{index}")));
    figures.filter_map(Result::transpose).collect()
}

/// The plot of one cell; `name` makes its id unique in the page. None where the log shows nothing.
pub(in crate::show) fn of_cell(
    results: &Results,
    cell: &Cell,
    logged: Logged<'_>,
    name: &str,
) -> Result<Option<Figure>, Error> {
    let Some(view) = View::of(cell, logged, ordered(results, &cell.axes.lock)) else { return Ok(None) };
    let id = format!("lanes-{name}");
    let axes = &cell.axes;
    // The machines of a case tell how many vCPUs there are.
    let (case, size) = match &axes.case {
        Some(case) => (format!(" in case {}", printable(&case.name)), String::new()),
        None => (String::new(), format!(", {}", overcommit(axes.overcommit))),
    };
    let title = format!("{TITLE}{case}: {}, {}{size}", printable(&axes.lock), printable(&axes.told_env()));
    let Some(x) = Axis::linear("ms since the window's opening", view.ms(view.from), view.ms(view.to)) else {
        return Ok(None);
    };
    let description = format!(
        "From {} to {} ms, {} pCPUs and {} stretches. The table below has each stretch.",
        significant(view.ms(view.from)),
        significant(view.ms(view.to)),
        view.lanes.len(),
        view.shown().count()
    );
    let left = label_room(view.names.iter().map(String::len).max().unwrap_or(0));
    let height = 76 + view.lanes.len() as u32 * LANE;
    let svg = picture(&id, &title, &description, height, |pen| {
        let lanes = view.lanes.len() as f64;
        let frame = pen.rows(x, Axis::with_ticks("", 0.0..lanes, Vec::new()), left)?;
        view.draw(pen, &frame, f64::from(left))
    })?;
    Ok(Some(Figure::Drawn(Plot {
        id,
        title,
        env: Some(axes.env.clone()),
        reading: view.reading(),
        svg,
        linear: None,
        legend: view.legend(),
        open: false,
        data: view.table(),
    })))
}

/// Which colour a vCPU has, and what it is called: by its virtual machine where there are several, else its own. A thread has that of
/// its vCPU.
struct Colours<'a>(&'a Cell);

impl Colours<'_> {
    /// The number of a stretch's colour.
    fn number(&self, stretch: &Stretch) -> usize {
        self.vm(stretch.vcpu).unwrap_or(stretch.of_vcpu.unwrap_or(stretch.vcpu) as usize)
    }

    /// The machines that have the colours; none where there is one machine, whose vCPUs have them.
    fn vms(&self) -> &[Vm] {
        self.0.axes.case.as_ref().map(|case| &case.vms[..]).filter(|vms| vms.len() > 1).unwrap_or_default()
    }

    fn vm(&self, vcpu: u32) -> Option<usize> {
        let mut first = 0_u32;
        self.vms().iter().position(|vm| {
            first = first.saturating_add(vm.lock_users());
            vcpu < first
        })
    }

    fn area(number: usize) -> Area {
        // The last colour is that of text.
        let colours = COLOURS.len() - 1;
        Area { colour: COLOURS[number % colours], fill: PATTERNS[number / colours % PATTERNS.len()] }
    }

    /// The legend's entry of a colour.
    fn name(&self, number: usize) -> String {
        self.vms().get(number).map_or_else(|| format!("v{number}"), |vm| printable(&vm.name))
    }

    /// Whether guests run threads, so that these are what the stretches are of.
    fn of_threads(&self) -> bool {
        self.0.axes.case.as_ref().is_some_and(Case::has_threads)
    }
}

/// The part of a log that is shown. Times are in nanoseconds since the window's opening.
struct View<'a> {
    logged: Logged<'a>,
    colours: Colours<'a>,
    lanes: Vec<u32>,
    /// What each lane is called.
    names: Vec<String>,
    from: i64,
    to: i64,
    /// The release and the acquisition of the worst handover, where the window was traced.
    worst: Option<[i64; 2]>,
    hits: Vec<(&'a Stretch, Hit)>,
}

impl<'a> View<'a> {
    fn of(cell: &'a Cell, logged: Logged<'a>, ordered: bool) -> Option<Self> {
        let log = &logged.schedule.log;
        let mut lanes: Vec<u32> = log.iter().map(|stretch| stretch.pcpu).collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes.truncate(MOST_LANES);
        let worst = logged.trace().and_then(|(trace, began)| {
            let [(_, released), (_, got)] = timeline(trace).worst?;
            Some([released, got].map(|at| began.saturating_add_unsigned(at)))
        });
        let (first, last) = (log.first()?.from_ns, log.iter().map(|stretch| stretch.to_ns).max()?);
        let end = logged.measured.window_ns.cast_signed().clamp(1, last.max(1));
        let long = SLICES.saturating_mul(logged.schedule.slice_ns.cast_signed()).clamp(1, end);
        // The worst handover lies in the middle, where there is one, or else the first change of the pools.
        let middle = worst.map(|[released, got]| released.midpoint(got));
        let moved = logged.schedule.moves.first().map(|moved| moved.asked_ns.cast_signed());
        let middle = middle.or(moved).unwrap_or(long / 2);
        let from = (middle - long / 2).min(end - long).max(first).max(0);
        let mut view = Self {
            colours: Colours(cell),
            names: names(cell, logged.schedule, &lanes, from),
            lanes,
            from,
            to: from.saturating_add(long),
            worst,
            hits: logged.hits(ordered),
            logged,
        };
        view.narrow(middle);
        (view.from < view.to).then_some(view)
    }

    /// Shows less time where a lane would have too many bars.
    fn narrow(&mut self, middle: i64) {
        for _ in 0..40 {
            let bars = |pcpu: &u32| self.shown().filter(|stretch| stretch.pcpu == *pcpu).count();
            if self.lanes.iter().map(bars).max().unwrap_or(0) <= MOST_BARS {
                break;
            }
            let middle = middle.clamp(self.from, self.to);
            self.from += (middle - self.from) / 4;
            self.to -= (self.to - middle) / 4;
        }
    }

    fn shown(&self) -> impl Iterator<Item = &'a Stretch> {
        let (from, to) = (self.from, self.to);
        let log = self.logged.schedule.log.iter();
        log.filter(move |stretch| {
            stretch.to_ns > from && stretch.from_ns < to && self.lanes.contains(&stretch.pcpu)
        })
    }

    fn ms(&self, ns: i64) -> f64 {
        ns as f64 / 1e6
    }

    fn draw(&self, pen: &Pen<'_, '_>, frame: &Frame<'_, '_>, left: f64) -> Result<(), Error> {
        let middle = |lane: usize| frame.at(0.0, self.lanes.len() as f64 - lane as f64 - 0.5).1;
        let across = |ns: i64| frame.at(self.ms(ns.clamp(self.from, self.to)), 0.0).0;
        for (lane, (pcpu, name)) in self.lanes.iter().zip(&self.names).enumerate() {
            let y = middle(lane);
            pen.text((left - 2.0, y), name, INK, HPos::Right)?;
            let mut group = Group::of_no_lock();
            // Where the last halt is marked.
            let mut marked = f64::NEG_INFINITY;
            for stretch in self.shown().filter(|stretch| stretch.pcpu == *pcpu) {
                let (from, to) = (across(stretch.from_ns), across(stretch.to_ns));
                let area = Colours::area(self.colours.number(stretch));
                area.mark(&mut group, (from, y - HALF), (to, y + HALF), &self.told(stretch));
                // The colour tells a thread's vCPU.
                let name = stretch.name();
                let halts = stretch.end == StretchEnd::Halted;
                // A mark at either end takes room from both, because the name stands in the middle.
                let marks = if halts || from - marked < MARKER { 2.0 * MARKER } else { 0.0 };
                if to - from > LETTER * name.len() as f64 + marks {
                    group.centred(((from + to) / 2.0, y), &name);
                }
                if halts {
                    marked = to;
                }
            }
            // Marks lie above all bars.
            for stretch in self.shown().filter(|stretch| stretch.pcpu == *pcpu && stretch.to_ns < self.to) {
                let place = |down: f64| (across(stretch.to_ns), y + down);
                if stretch.end == StretchEnd::Halted {
                    group.marker(place(0.0), HALTED.0, false, &format!("{} halted", stretch.who()));
                }
                for (hit, (style, said), down) in
                    [(Hit::Holding, HOLDING, -HALF), (Hit::Granted, GRANTED, HALF)]
                {
                    if self.hits.iter().any(|(one, what)| std::ptr::eq(*one, stretch) && *what == hit) {
                        group.marker(place(down), style, false, &format!("{}: {said}", stretch.who()));
                    }
                }
            }
            pen.add(group);
        }
        let (top, bottom) = frame.top_and_bottom();
        for at in self.worst.into_iter().flatten().filter(|at| (self.from..=self.to).contains(at)) {
            pen.mark((across(at), top), (across(at), bottom), true)?;
        }
        for at in self.moves() {
            pen.mark((across(at), top), (across(at), bottom), false)?;
        }
        Ok(())
    }

    /// `v3 on P1 from 20.1 ms, for 10.0 ms, then paused`.
    fn told(&self, stretch: &Stretch) -> String {
        format!(
            "{} on P{} from {} ms, for {}, {}",
            stretch.who(),
            stretch.pcpu,
            significant(self.ms(stretch.from_ns)),
            duration(stretch.to_ns.saturating_sub(stretch.from_ns) as f64),
            ended(stretch)
        )
    }

    /// When the pools changed, in the part that is shown.
    fn moves(&self) -> impl Iterator<Item = i64> {
        let moves = self.logged.schedule.moves.iter().map(|moved| moved.asked_ns.cast_signed());
        moves.filter(|at| (self.from..=self.to).contains(at))
    }

    fn marked(&self, hit: Hit) -> bool {
        self.shown()
            .any(|stretch| self.hits.iter().any(|(one, what)| std::ptr::eq(*one, stretch) && *what == hit))
    }

    fn reading(&self) -> String {
        let mut said = String::from(
            "There is a lane for each pCPU, and a bar for each stretch of time in which a vCPU had it. Between two bars the \
             hypervisor switched, or nobody could run.",
        );
        if self.colours.of_threads() {
            let colours = if self.colours.vms().is_empty() { ", which have the colours" } else { "" };
            said.push_str(&format!(
                " A guest runs threads on its vCPUs{colours}: t5 on v1 is thread 5 on vCPU 1. A bar ends where either scheduler switched."
            ));
        }
        if self.worst.is_some() {
            said.push_str(
                " This window was traced: between the dashed lines is its worst handover, and marks tell which pauses hit a \
                 vCPU that held the lock, or that the lock was granted to.",
            );
        }
        if self.colours.0.axes.case.as_ref().is_some_and(|case| !case.pools.is_empty()) {
            said.push_str(" Beside a pCPU stands the pool that it was in at first.");
        }
        if self.moves().next().is_some() {
            said.push_str(
                " Where an upright line crosses the lanes, a virtual machine or a pCPU went to another pool.",
            );
        }
        if self.logged.measured.disturbed.is_some() {
            said.push_str(" The schedule of this window was not kept, so the bars show what the hypervisor meant, not what was.");
        }
        said
    }

    fn legend(&self) -> Vec<Key> {
        let mut numbers: Vec<usize> = self.shown().map(|stretch| self.colours.number(stretch)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut keys: Vec<Key> =
            numbers.into_iter().map(|number| Colours::area(number).key(&self.colours.name(number))).collect();
        let halts = self.shown().any(|stretch| stretch.end == StretchEnd::Halted);
        let halted = if self.colours.of_threads() { THREAD_HALTED } else { HALTED };
        let marks =
            [(halts, halted), (self.marked(Hit::Holding), HOLDING), (self.marked(Hit::Granted), GRANTED)];
        keys.extend(
            marks.into_iter().filter(|(is, _)| *is).map(|(_, (style, said))| Key::new(said, style, false)),
        );
        keys
    }

    fn table(&self) -> Table {
        let rows = self.shown().take(MOST_ROWS).map(|stretch| {
            let hits = self.hits.iter().filter(|(one, _)| std::ptr::eq(*one, stretch));
            let hits: Vec<&str> =
                hits.map(|(_, hit)| if *hit == Hit::Holding { HOLDING.1 } else { GRANTED.1 }).collect();
            vec![
                format!("P{}", stretch.pcpu),
                stretch.who(),
                significant(self.ms(stretch.from_ns)),
                duration(stretch.to_ns.saturating_sub(stretch.from_ns) as f64),
                [vec![ended(stretch)], hits].concat().join("; "),
            ]
        });
        let columns = ["pCPU", "vCPU", "from, in ms", "for", "and then"];
        Table { columns: columns.map(str::to_owned).to_vec(), rows: rows.collect() }
    }
}

/// `P0`, or `P0, a` where the pCPU is in pool a at that time.
fn names(cell: &Cell, schedule: &Schedule, lanes: &[u32], from: i64) -> Vec<String> {
    let layouts = cell.axes.case.as_ref().and_then(|case| Layout::all(case).ok()).unwrap_or_default();
    let made = schedule.moves.iter().filter(|moved| moved.asked_ns.cast_signed() <= from).count();
    let pool = |pcpu: &u32| {
        let (layout, number) = (layouts.get(made)?, cell.axes.pcpus.iter().position(|known| known == pcpu)?);
        Some(layout.pool(layout.pool_of_pcpu(number as u32)?).name.as_str())
    };
    let name = |pcpu: &u32| match pool(pcpu) {
        Some(pool) => format!("P{pcpu}, {}", printable(pool)),
        None => format!("P{pcpu}"),
    };
    lanes.iter().map(name).collect()
}

fn ended(stretch: &Stretch) -> &'static str {
    match stretch.end {
        StretchEnd::Paused if stretch.by_guest => "then paused by its guest",
        StretchEnd::Paused => "then paused",
        StretchEnd::Halted => "then halted",
        StretchEnd::Yielded => "then yielded",
        StretchEnd::Open => "beyond the log",
    }
}
