//! How far two measurements of one cell lay apart.

use super::Brief;
use crate::format::{apart, counted, overcommit, percent, printable};
use crate::record::{NoiseFloor, Results};

const QUESTION: &str = "How noisy was it?";

/// A pair that lies this far apart is named: one of its measurements is twice the other.
const FAR: f64 = 1.0;

/// A pair with how far it lies apart.
type Pair<'a> = (&'a NoiseFloor, f64);

pub(super) fn brief(results: &Results) -> Brief {
    let told = |floor| Some((floor, floor_of(floor)?));
    let (far, near): (Vec<Pair<'_>>, Vec<Pair<'_>>) =
        results.noise_floor.iter().filter_map(told).partition(|(_, floor)| *floor >= FAR);
    if far.is_empty() && near.is_empty() {
        let said = "Not known: no cell was run twice in enough rounds, so no two locks are compared.";
        return Brief::new("noise", QUESTION, said, "");
    }
    let widest = widest(&near);
    let within: Vec<String> =
        widest.iter().map(|(pair, floor)| format!("{} ({})", apart(*floor), group(&pair.class))).collect();
    let others: Vec<String> = far
        .iter()
        .map(|(pair, floor)| format!("{}, up to {} apart", cell(results, pair), apart(*floor)))
        .collect();
    let others = others.join("; ");
    let said = match (within.is_empty(), far.is_empty()) {
        (false, true) => format!("The same cell run twice agreed within {}.", within.join(", ")),
        (false, false) => format!(
            "The same cell run twice agreed within {}. Not so {others}: no smaller difference is called there.",
            within.join(", ")
        ),
        _ => format!("The same cell run twice did not agree: {others}. No smaller difference is called."),
    };
    let short = match (widest.iter().map(|(_, floor)| *floor).reduce(f64::max), far.as_slice()) {
        (Some(most), []) => format!("The same cell run twice agreed within {}.", percent(most)),
        (Some(most), far) => {
            format!("Run twice, cells agreed within {}; {}.", percent(most), in_short(results, far))
        }
        (None, far) => format!("The same cell run twice did not agree: {}.", in_short(results, far)),
    };
    let named = widest.iter().map(|(pair, _)| cell(results, pair)).collect::<Vec<_>>().join(", ");
    let rounds =
        || results.noise_floor.iter().filter(|pair| floor_of(pair).is_some()).map(|pair| pair.rounds);
    let (least, most) = (rounds().min().unwrap_or(0), rounds().max().unwrap_or(0));
    let counted = counted(most as usize, "round");
    let rounds = if least == most { counted } else { format!("{least} to {counted}") };
    let small = if named.is_empty() { rounds } else { format!("Farthest apart: {named}; {rounds}") };
    Brief::new("noise", QUESTION, said, small).in_short(Some(short))
}

/// `pv-ticket (emulated at 2x) 94.3 times apart`.
fn in_short(results: &Results, far: &[Pair<'_>]) -> String {
    let told = |(pair, floor): &Pair<'_>| format!("{} {} apart", cell(results, pair), apart(*floor));
    far.iter().map(told).collect::<Vec<_>>().join("; ")
}

fn floor_of(pair: &NoiseFloor) -> Option<f64> {
    pair.floor.filter(|floor| floor.is_finite())
}

/// Of each group the pair that lies farthest apart, in the order of the groups.
fn widest<'a>(pairs: &[Pair<'a>]) -> Vec<Pair<'a>> {
    let mut widest: Vec<Pair<'a>> = Vec::new();
    for pair in pairs {
        match widest.iter_mut().find(|known| known.0.class == pair.0.class) {
            Some(known) if known.1 < pair.1 => *known = *pair,
            Some(_) => {}
            None => widest.push(*pair),
        }
    }
    widest
}

/// A noise group in words.
fn group(name: &str) -> &str {
    match name {
        "one-vcpu" => "one vCPU",
        "contended" => "several vCPUs at 1x",
        "overcommitted" => "above 1x",
        other => other,
    }
}

/// `pv-ticket (emulated at 2x)`, `ticket (native, one vCPU)`, and for a cell that is not in the run its id.
fn cell(results: &Results, pair: &NoiseFloor) -> String {
    results.cells.iter().find(|cell| cell.axes.id == pair.cell).map_or_else(
        || printable(&pair.cell),
        |cell| {
            let (lock, env) = (printable(&cell.axes.lock), printable(&cell.axes.told_env()));
            match cell.axes.vcpus {
                1 => format!("{lock} ({env}, one vCPU)"),
                _ => format!("{lock} ({env} at {})", overcommit(cell.axes.overcommit)),
            }
        },
    )
}
