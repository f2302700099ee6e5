//! What a cell replays.

use super::Scheduler;
use crate::Error;

/// What a cell replays: the same instants for every lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replayed {
    /// What round-robin does where no vCPU halts.
    RoundRobin,
    /// What the credit scheduler does where no vCPU halts.
    Credit,
    /// What gang scheduling does where no vCPU halts.
    Gang,
    /// A log that was recorded, by its hash.
    Recorded(u64),
}

impl Replayed {
    /// The scheduler whose timetable is replayed; none for a recorded log.
    pub(super) fn scheduler(self) -> Option<Scheduler> {
        match self {
            Self::RoundRobin => Some(Scheduler::RoundRobin),
            Self::Credit => Some(Scheduler::Credit),
            Self::Gang => Some(Scheduler::Gang),
            Self::Recorded(_) => None,
        }
    }

    /// Reads `credit`, or a hash.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "round-robin" => return Ok(Self::RoundRobin),
            "credit" => return Ok(Self::Credit),
            "gang" => return Ok(Self::Gang),
            _ => {}
        }
        let digits = text.len() == 16 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let hash = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        hash.map(Self::Recorded).ok_or_else(|| {
            Error::usage(format!(
                "`replay:{}` names nothing that can be replayed; give replay:round-robin, replay:credit or replay:gang, or a recorded \
                 log with --replay RUN:CELL",
                text.escape_debug()
            ))
        })
    }

    /// The only spelling.
    pub(super) fn show(self) -> String {
        match self {
            Self::RoundRobin => "round-robin".into(),
            Self::Credit => "credit".into(),
            Self::Gang => "gang".into(),
            Self::Recorded(hash) => format!("{hash:016x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_named_by_the_scheduler_that_makes_it_or_by_its_hash() {
        for text in ["round-robin", "credit", "gang", "00000000000000ff"] {
            let read = Replayed::parse(text).unwrap();
            assert_eq!(read.show(), text);
            assert_eq!(read.scheduler().is_none(), text.ends_with("ff"));
        }
        for bad in ["", "host", "quota:0.5", "replay:credit", "ff", "00000000000000FF", "+0000000000000ff"] {
            let said = Replayed::parse(bad).unwrap_err().to_string();
            assert!(said.contains("--replay RUN:CELL"), "{said}");
        }
    }
}
