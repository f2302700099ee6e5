//! The worst handover of a cell: what every vCPU did between the release and the next acquisition.

use plotters::style::text_anchor::HPos;

use super::axis::Axis;
use super::canvas::{Frame, Pen, label_room, picture};
use super::group::Group;
use super::hatch::{Area, Fill};
use super::style::{COLOURS, INK, MUTED, Marker, Style};
use super::traced::main;
use super::{Figure, Key, Plot, Table};
use crate::Error;
use crate::derive::roster::cures;
use crate::derive::timeline::{Kick, Span, State, Timeline, timeline};
use crate::format::{counted, duration, significant};
use crate::record::{Cell, Outcome, Results, Trace};
use crate::show::trace_export::traces;

const TITLE: &str = "Around the worst handover";
/// At most this many timelines are drawn: first those of cures and their plain locks, then others.
const MOST: usize = 4;
const MOST_LANES: usize = 24;
const MOST_KICKS: usize = 80;
const MOST_ROWS: usize = 200;
const LANE: u32 = 26;
const KICK: Style = Style { colour: COLOURS[3], marker: Marker::Down, dashed: true };
/// The look of the time that was left out, across all lanes.
const LEFT_OUT: Area = Area { colour: MUTED, fill: Fill::Upright };
/// States in drawing order, the lowest layer first: state, name, look, half the height, and the least width.
const LAYERS: [(State, &str, Area, f64, f64); 4] = [
    (State::Preempted, "preempted", Area { colour: COLOURS[0], fill: Fill::Rising }, 11.0, 0.0),
    (State::Halted, "halted", Area { colour: COLOURS[4], fill: Fill::Falling }, 7.0, 0.0),
    (State::Waiting, "waiting", Area { colour: COLOURS[1], fill: Fill::Solid }, 2.0, 0.0),
    (State::Holding, "holding", Area { colour: COLOURS[2], fill: Fill::Solid }, 8.0, 1.5),
];

/// Timelines of the locks traced where overcommit hurts most.
pub(super) fn plots(results: &Results) -> Result<Vec<Figure>, Error> {
    let Some(traced) = main(results) else {
        return Ok(vec![Figure::missing(TITLE, "No windows were traced.")]);
    };
    let mut locks: Vec<(&Cell, &Trace)> = traced
        .locks
        .iter()
        .filter_map(|(cell, _)| {
            Some((*cell, traces(cell).map(|(_, trace)| trace).max_by_key(|t| t.worst_handover_ns)?))
        })
        .collect();
    let first: Vec<&str> = cures(results).flat_map(|pair| [pair.plain, pair.lock]).collect();
    locks.sort_by_key(|(cell, _)| {
        first.iter().position(|lock| *lock == cell.axes.lock).unwrap_or(first.len())
    });
    let place = traced.place();
    let drawn: Result<Vec<Option<Figure>>, Error> = locks
        .iter()
        .take(MOST)
        .enumerate()
        .map(|(index, (cell, trace))| of_cell(cell, &timeline(trace), index, &place))
        .collect();
    let drawn: Vec<Figure> = drawn?.into_iter().flatten().collect();
    if drawn.is_empty() {
        return Ok(vec![Figure::missing(TITLE, "No handover to a waiting vCPU was traced.")]);
    }
    Ok(drawn)
}

/// The part of a trace that is shown. Its axis counts from the release that began the worst handover.
struct View<'a> {
    line: &'a Timeline,
    /// Beginning, end and zero of the axis, in nanoseconds of the trace.
    from: u64,
    to: u64,
    zero: u64,
    /// vCPUs from top to bottom, each with its name.
    lanes: Vec<(u32, String)>,
    /// Length of the axis' unit in nanoseconds.
    unit: f64,
}

fn of_cell(cell: &Cell, line: &Timeline, index: usize, place: &str) -> Result<Option<Figure>, Error> {
    let Some([(from, released), (to, got)]) = line.worst else { return Ok(None) };
    let long = (got - released).max(1);
    let unit = if long < 500_000 { 1e3 } else { 1e6 };
    let view = View {
        line,
        from: released.saturating_sub(long.saturating_mul(3) / 4),
        to: got.saturating_add(long.saturating_mul(3) / 4).min(line.length_ns),
        zero: released,
        lanes: lanes(cell, line),
        unit,
    };
    let lock = &cell.axes.lock;
    let title = format!("{TITLE}: {lock}, {place}");
    let x_title = format!("{} since v{from} released the lock", if unit < 1e6 { "µs" } else { "ms" });
    let Some(x) = Axis::linear(&x_title, view.axis(view.from), view.axis(view.to)) else { return Ok(None) };
    let description = format!(
        "v{from} releases the lock and v{to} gets it {} later. {}; the table below has what they did.",
        duration(long as f64),
        counted(line.vcpus as usize, "vCPU")
    );
    let id = format!("timeline-{index}");
    let left = label_room(view.lanes.iter().map(|lane| lane.1.chars().count()).max().unwrap_or(0));
    let height = 76 + view.lanes.len() as u32 * LANE;
    let svg = picture(&id, &title, &description, height, |pen| {
        let lanes = view.lanes.len() as f64;
        let frame = pen.rows(x, Axis::with_ticks("", 0.0..lanes, Vec::new()), left)?;
        let (top, bottom) = frame.top_and_bottom();
        if let Some(ends) = view.left_out() {
            let [from, to] = ends.map(|at| frame.at(view.axis(at), 0.0).0);
            LEFT_OUT.draw(pen, (from, top), (to, bottom))?;
        }
        view.draw(pen, &frame, f64::from(left))?;
        for at in [released, got] {
            let (across, _) = frame.at(view.axis(at), 0.0);
            pen.mark((across, top), (across, bottom), true)?;
        }
        let (middle, _) = frame.at(view.axis(released + long / 2), 0.0);
        pen.text((middle, top - 9.0), &duration(long as f64), INK, HPos::Center)
    })?;
    let mut legend: Vec<Key> = LAYERS.iter().map(|(_, name, area, ..)| area.key(name)).collect();
    legend.push(Key::new("kick", KICK, true));
    legend.extend(view.left_out().map(|_| LEFT_OUT.key("left out")));
    let cut = view.left_out().map(|[from, to]| {
        format!(
            " There were too many events for a picture: {} are left out, except preemptions that lasted beyond that time.",
            duration((to - from) as f64)
        )
    });
    Ok(Some(Figure::Drawn(Plot {
        id,
        title,
        env: Some(cell.axes.env.clone()),
        reading: format!(
            "There is a lane for each vCPU, those of one pCPU beside each other. Between the dashed lines nobody has the lock: \
             v{from} has released it, v{to} does not have it yet. If v{to}'s lane is hatched there, v{to} was preempted \
             while the lock was already granted to it. A preemption is drawn from the last moment at which the vCPU is known to \
             have run.{}",
            cut.unwrap_or_default()
        ),
        svg,
        linear: None,
        legend,
        open: false,
        data: view.table(),
    })))
}

/// vCPUs sorted by the pCPU that they are pinned to.
fn lanes(cell: &Cell, line: &Timeline) -> Vec<(u32, String)> {
    let placed = cell.rounds.iter().find_map(|round| match &round.outcome {
        Outcome::Measured(measured) if measured.placed.len() == cell.axes.vcpus as usize => {
            Some(&measured.placed)
        }
        _ => None,
    });
    let dealt = |vcpu: u32| cell.axes.pcpus.get(vcpu as usize % cell.axes.pcpus.len().max(1)).copied();
    let mut lanes: Vec<(Option<u32>, u32)> = (0..line.vcpus)
        .map(|vcpu| (placed.map_or_else(|| dealt(vcpu), |placed| placed.get(vcpu as usize).copied()), vcpu))
        .map(|(pcpu, vcpu)| (pcpu.filter(|_| cell.axes.pinning == "pinned"), vcpu))
        .collect();
    if let Some([(from, _), (to, _)]) = line.worst
        && lanes.len() > MOST_LANES
    {
        // Of too many vCPUs the two of the handover are kept, and the first of the others.
        lanes.sort_by_key(|(_, vcpu)| (*vcpu != from && *vcpu != to, *vcpu));
        lanes.truncate(MOST_LANES);
    }
    lanes.sort_unstable();
    let name = |(pcpu, vcpu): (Option<u32>, u32)| match pcpu {
        Some(pcpu) => (vcpu, format!("P{pcpu} v{vcpu}")),
        None => (vcpu, format!("v{vcpu}")),
    };
    lanes.into_iter().map(name).collect()
}

impl View<'_> {
    /// A time in units of the axis.
    fn axis(&self, ns: u64) -> f64 {
        (ns as f64 - self.zero as f64) / self.unit
    }

    fn draw(&self, pen: &Pen<'_, '_>, frame: &Frame<'_, '_>, left: f64) -> Result<(), Error> {
        let middle = |lane: usize| frame.at(0.0, self.lanes.len() as f64 - lane as f64 - 0.5).1;
        for (lane, (vcpu, name)) in self.lanes.iter().enumerate() {
            let y = middle(lane);
            pen.text((left - 2.0, y), name, INK, HPos::Right)?;
            for (state, _, area, half, least) in LAYERS {
                let own = self.line.spans.iter().filter(|span| span.vcpu == *vcpu && span.state == state);
                for (from, to) in self.places(frame, own) {
                    area.draw(pen, (from, y - half), (to.max(from + least), y + half))?;
                }
            }
        }
        let lane = |vcpu: u32| self.lanes.iter().position(|lane| lane.0 == vcpu);
        for kick in self.kicks().take(MOST_KICKS) {
            let (Some(from), Some(to)) = (lane(kick.from), lane(kick.to)) else { continue };
            let (across, _) = frame.at(self.axis(kick.at_ns), 0.0);
            let mut group = Group::of_no_lock();
            group.line(&[(across, middle(from)), (across, middle(to))], KICK);
            let told = format!("v{} kicks v{}", kick.from, kick.to);
            group.marker((across, middle(to)), KICK, false, &told);
            pen.add(group);
        }
        Ok(())
    }

    /// The places of spans; spans that touch in the picture become one.
    fn places<'s>(&self, frame: &Frame<'_, '_>, spans: impl Iterator<Item = &'s Span>) -> Vec<(f64, f64)> {
        let mut places: Vec<(f64, f64)> = spans
            .filter(|span| span.to_ns >= self.from && span.from_ns <= self.to)
            .map(|span| (frame.at(self.axis(span.from_ns), 0.0).0, frame.at(self.axis(span.to_ns), 0.0).0))
            .collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0));
        places.dedup_by(|next, before| {
            let touch = next.0 <= before.1 + 0.5;
            if touch {
                before.1 = before.1.max(next.1);
            }
            touch
        });
        places
    }

    /// The time that was left out, as far as it is shown.
    fn left_out(&self) -> Option<[u64; 2]> {
        let [from, to] = self.line.omitted?;
        let shown = [from.max(self.from), to.min(self.to)];
        (shown[0] < shown[1]).then_some(shown)
    }

    fn kicks(&self) -> impl Iterator<Item = &Kick> {
        self.line.kicks.iter().filter(|kick| (self.from..=self.to).contains(&kick.at_ns))
    }

    fn table(&self) -> Table {
        let shown = |ns: u64| significant(self.axis(ns));
        let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
        for span in self.line.spans.iter().filter(|span| span.to_ns >= self.from && span.from_ns <= self.to) {
            let name = LAYERS.iter().find(|layer| layer.0 == span.state).map_or("", |layer| layer.1);
            let length = duration((span.to_ns - span.from_ns) as f64);
            rows.push((
                span.from_ns,
                vec![format!("v{}", span.vcpu), name.into(), shown(span.from_ns), length],
            ));
        }
        for kick in self.kicks() {
            let what = format!("kicks v{}", kick.to);
            rows.push((kick.at_ns, vec![format!("v{}", kick.from), what, shown(kick.at_ns), "–".into()]));
        }
        rows.extend(self.left_out().map(|[from, to]| {
            (from, vec!["–".into(), "left out".into(), shown(from), duration((to - from) as f64)])
        }));
        rows.sort();
        let unit = if self.unit < 1e6 { "from, in µs" } else { "from, in ms" };
        Table {
            columns: ["vCPU", "did", unit, "for"].map(str::to_owned).to_vec(),
            rows: rows.into_iter().take(MOST_ROWS).map(|(_, row)| row).collect(),
        }
    }
}
