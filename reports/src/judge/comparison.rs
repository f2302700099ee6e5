//! Compares two cells of a run: the ratio of their rates, and the verdict on it.

use crate::derive::noise::{Kind, halts, nearest_floor};
use crate::derive::{Selection, noise_group};
use crate::record::{Cell, Interval, Measured, Purpose, Results, Round, Status};
use crate::statistics::{MARGIN, MIN_ROUNDS, Paired, Spans, Verdict, Window, judge, ratios, ratios_across};

/// Outcome of comparing two cells of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Rate of the first over that of the second, paired by round inside one distance class; none where it cannot be told.
    pub ratio: Option<Interval>,
    /// Number of rounds used.
    pub rounds: usize,
    /// Shortest and longest round trips between pCPUs in the windows used.
    pub spans: Spans,
    /// The verdict on the ratio.
    pub verdict: Verdict,
    /// Probability that chance alone takes the ratios so far from 1, for callers that compare many cells; none where it cannot
    /// be told.
    pub chance: Option<f64>,
}

/// Compares the rates of two cells of `results`. The noise floor is the larger one of the two cells' noise groups.
pub fn compare(results: &Results, first: &Cell, second: &Cell) -> Comparison {
    compare_by(ratios, results, first, second)
}

/// Compares the rates of two cells on different pCPUs, where the distance of the pCPUs is part of what is compared.
pub fn compare_across(results: &Results, first: &Cell, second: &Cell) -> Comparison {
    compare_by(ratios_across, results, first, second)
}

fn compare_by(
    pair: fn(&[Window], &[Window]) -> Paired,
    results: &Results,
    first: &Cell,
    second: &Cell,
) -> Comparison {
    for cell in [first, second] {
        if cell.status != Status::Ok {
            let reason = format!("{} is {}", cell.axes.lock, word(cell.status));
            let verdict = Verdict::NotEnoughData(reason);
            return Comparison { ratio: None, rounds: 0, spans: Spans::default(), verdict, chance: None };
        }
    }
    let windows = |cell: &Cell| Selection::comparable(&cell.rounds, Purpose::Rate).windows();
    let throttled = [first, second].into_iter().find(|cell| windows(cell).is_empty() && throttled(cell));
    if let Some(cell) = throttled {
        let reason = format!("a CPU quota held the vCPUs of {} up in every window", cell.axes.lock);
        let verdict = Verdict::NotEnoughData(reason);
        return Comparison { ratio: None, rounds: 0, spans: Spans::default(), verdict, chance: None };
    }
    let paired = pair(&windows(first), &windows(second));
    let floor = noise_floor(results, first, second);
    // A difference may rest on the rounds of all distance classes together. That two cells are the same may not, for it is a
    // statement about small differences.
    if let Some((ratio, rounds)) = paired.every_class.filter(|_| paired.rounds < MIN_ROUNDS) {
        let verdict = judge(Some(ratio), rounds, MARGIN, floor);
        if matches!(verdict, Verdict::Better | Verdict::Worse) {
            let (spans, chance) = (paired.all_spans, paired.all_chance);
            return Comparison { ratio: Some(ratio), rounds, spans, verdict, chance };
        }
    }
    let verdict = match judge(paired.ratio, paired.rounds, MARGIN, floor) {
        Verdict::NotEnoughData(_)
            if floor.is_none() && paired.ratio.is_some() && paired.rounds >= MIN_ROUNDS =>
        {
            let without = [first, second].into_iter().find(|cell| floor_of(results, cell).is_none());
            let group = without.map_or("these", |cell| noise_group(&cell.axes));
            Verdict::NotEnoughData(format!(
                "the noise floor of {group} cells is unknown: no usable A/A pairs"
            ))
        }
        // The reader can act upon the reason why rounds are missing, not upon their number.
        Verdict::NotEnoughData(reason) if paired.ratio.is_none() || paired.rounds < MIN_ROUNDS => {
            Verdict::NotEnoughData(match paired.missing {
                Some(missing) if paired.ratio.is_none() => missing,
                Some(missing) => format!("{reason}: {missing}"),
                None => reason,
            })
        }
        verdict => verdict,
    };
    let Paired { ratio, rounds, spans, chance, .. } = paired;
    Comparison { ratio, rounds, spans, verdict, chance }
}

fn throttled(cell: &Cell) -> bool {
    cell.rounds.iter().filter_map(Round::measured).any(Measured::throttled)
}

/// Noise floor that a comparison of two cells must clear, as a fraction; none if no A/A pair of their noise groups was usable.
pub fn noise_floor(results: &Results, first: &Cell, second: &Cell) -> Option<f64> {
    let one = floor_of(results, first)?;
    Some(one.max(floor_of(results, second)?))
}

/// The floor of the A/A pairs of a cell's noise group that are most like the cell.
fn floor_of(results: &Results, cell: &Cell) -> Option<f64> {
    let kind = |axes| Kind { halts: halts(results, axes), env: &axes.env, lock: &axes.lock };
    let group = noise_group(&cell.axes);
    let pairs = results.noise_floor.iter().filter(|floor| floor.class == group).filter_map(|floor| {
        let twice = results.cells.iter().find(|other| other.axes.id == floor.cell)?;
        Some((kind(&twice.axes), floor.floor?))
    });
    nearest_floor(kind(&cell.axes), pairs)
}

/// Why a cell has no rate, in a few words. One that was measured may have none: each of its windows was left out.
pub fn without_a_rate(cell: &Cell) -> &'static str {
    if cell.status == Status::Ok { "every window left out" } else { word(cell.status) }
}

/// A status in one word.
pub fn word(status: Status) -> &'static str {
    status.word()
}
