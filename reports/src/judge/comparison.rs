//! One cell against another: the ratio of their rates, and what may be said of it.

use crate::derive::{Selection, class_of};
use crate::record::{Cell, Interval, Measured, NoiseFloor, Purpose, Results, Round, Status};
use crate::statistics::{MARGIN, MIN_ROUNDS, Paired, Spans, Verdict, Window, judge, ratios, ratios_across};

/// Outcome of comparing two cells of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Rate of the first : rate of the second, paired by round inside one class; none where it cannot be told.
    pub ratio: Option<Interval>,
    /// Rounds used.
    pub rounds: usize,
    /// Shortest and longest round trips between pCPUs in the windows used.
    pub spans: Spans,
    /// What may be said of it.
    pub verdict: Verdict,
    /// Probability that chance alone takes the ratios so far from 1, for whoever compares many cells; none where it cannot
    /// be told.
    pub chance: Option<f64>,
}

/// Compares the rates of two cells of `results`. The noise floor is that of the noisier cell's class.
pub fn compare(results: &Results, first: &Cell, second: &Cell) -> Comparison {
    compare_by(ratios, results, first, second)
}

/// The same for two cells on different pCPUs, where how far apart those are is part of what is compared.
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
    // A difference that shows in every round, whatever the distance of the pCPUs, needs no class of its own; that two
    // are the same does, for it is a statement about small figures.
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
            let class = [first, second].into_iter().find(|cell| floor_of(results, cell).is_none());
            let class = class.map_or("these", |cell| class_of(&cell.axes));
            Verdict::NotEnoughData(format!(
                "the noise floor of {class} cells is unknown: no usable A/A pairs"
            ))
        }
        // That rounds are missing is the consequence; why they are is what the reader can act upon.
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

/// Noise floor that a comparison of two cells must clear, as a fraction; none if no A/A pair of that class was usable.
pub fn noise_floor(results: &Results, first: &Cell, second: &Cell) -> Option<f64> {
    let one = floor_of(results, first)?;
    Some(one.max(floor_of(results, second)?))
}

/// Floor of a cell's class in its environment, or in any if that one ran no A/A pairs of this class.
fn floor_of(results: &Results, cell: &Cell) -> Option<f64> {
    let class = class_of(&cell.axes);
    let here = |floor: &&NoiseFloor| {
        results.cells.iter().any(|other| other.axes.id == floor.cell && other.axes.env == cell.axes.env)
    };
    let of_class =
        || results.noise_floor.iter().filter(|floor| floor.class == class && floor.floor.is_some());
    let largest = |found: &mut dyn Iterator<Item = &NoiseFloor>| {
        found.filter_map(|floor| floor.floor).filter(|floor| floor.is_finite()).reduce(f64::max)
    };
    largest(&mut of_class().filter(here)).or_else(|| largest(&mut of_class()))
}

/// A status in a word.
pub fn word(status: Status) -> &'static str {
    status.word()
}
