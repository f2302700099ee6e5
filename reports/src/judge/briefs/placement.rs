//! Whether it matters on which NUMA nodes a lock and its vCPUs lie.

use super::Brief;
use crate::derive::nodes::count;
use crate::judge::answers::answers;
use crate::record::Results;

const QUESTION: &str = "Does placement over NUMA nodes matter?";

pub(super) fn brief(results: &Results) -> Brief {
    let told = match count(results) {
        1 => "Cannot be told here: this machine has one node.".to_owned(),
        0 => "Cannot be told: the record does not say how many nodes the machine has.".to_owned(),
        _ => answers(results).numa.statements.first().map_or_else(String::new, |first| first.text.clone()),
    };
    Brief::new("NUMA", QUESTION, told, "")
}
