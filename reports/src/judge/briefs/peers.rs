//! Whether locks of ours lose beside those that people use.

use super::Brief;
use crate::format::{counted, percent};
use crate::judge::peers::{Beside, Ground, LEAST, Standing, besides};
use crate::record::Results;

const QUESTION: &str = "Do our locks keep up with those that people use?";

/// At most this many are told one by one, the worst first; the table has all of them.
const MOST: usize = 3;
/// As many on a terminal, whose lines are few.
const MOST_IN_SHORT: usize = 1;

/// None where the run has no lock that people use beside one of ours. A terminal is told where ours lose, and nothing else.
pub(super) fn brief(results: &Results) -> Option<Brief> {
    let besides = besides(results);
    let asked: Vec<&Beside<'_>> =
        besides.iter().filter(|beside| beside.standing != Standing::Shown).collect();
    if asked.is_empty() {
        return None;
    }
    let with = |standing| asked.iter().filter(move |beside| beside.standing == standing);
    let mut lost: Vec<&Beside<'_>> = with(Standing::Loses).copied().collect();
    let ratio = |beside: &Beside<'_>| beside.comparison.ratio.map_or(0.0, |ratio| ratio.median);
    lost.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let lost: Vec<String> = lost.into_iter().map(Beside::told).collect();
    let open = with(Standing::CannotBeTold).count();
    let of = counted(asked.len(), "comparison");
    let untold = if open == 0 {
        String::new()
    } else {
        format!(" Of {} it cannot be told.", counted(open, "comparison"))
    };
    let lose = |most: usize| {
        let told = &lost[..lost.len().min(most)];
        let more = match lost.len() - told.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        format!("Ours lose in {} of {of}: {}{more}.", lost.len(), told.join("; "))
    };
    let said = match lost.is_empty() {
        true => format!("Ours lose in none of {of}.{untold}"),
        false => format!("{}{untold}", lose(MOST)),
    };
    let short = (!lost.is_empty()).then(|| lose(MOST_IN_SHORT));
    let on_one = asked.iter().filter(|beside| beside.ground == Ground::Uncontended).count();
    let small = format!(
        "{} on one vCPU, where ours are to have {} of the rate of the same algorithm; {} above 1x, where the best of ours whose \
         waiters halt is to have that of a mutex that sleeps",
        counted(on_one, "comparison"),
        percent(LEAST),
        asked.len() - on_one
    );
    Some(Brief::new("peers", QUESTION, said, small).in_short(short))
}
