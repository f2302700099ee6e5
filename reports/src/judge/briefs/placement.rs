//! Whether it matters on which NUMA nodes a lock and its vCPUs lie.

use super::Brief;
use crate::derive::nodes::count;
use crate::judge::answers::answers;
use crate::record::Results;

const QUESTION: &str = "Does placement over NUMA nodes matter?";

pub(super) fn brief(results: &Results) -> Brief {
    let nodes = count(results);
    let told = match nodes {
        1 => "Cannot be told here: this machine has one node.".to_owned(),
        0 => "Cannot be told: the record does not say how many nodes the machine has.".to_owned(),
        _ => answers(results).numa.statements.first().map_or_else(String::new, |first| first.text.clone()),
    };
    // Where there are no nodes to place anything over, a terminal has better use for the line.
    let short = (nodes > 1).then(|| told.clone());
    Brief::new("NUMA", QUESTION, told, "").in_short(short)
}
