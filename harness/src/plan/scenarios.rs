//! Scenarios: profiles whose cells share their pCPUs with other virtual machines. Each shows one thing.

use std::path::Path;

use super::Profile;
use crate::error::unknown;
use crate::{Error, Registry};

/// The built-in scenarios, by name.
pub(crate) static BUILT_IN: &[(&str, &str)] = &[
    ("cpupools", include_str!("../../../scenarios/cpupools.toml")),
    ("friebel-hog", include_str!("../../../scenarios/friebel-hog.toml")),
    ("half-a-cpu", include_str!("../../../scenarios/half-a-cpu.toml")),
    ("kick-costs", include_str!("../../../scenarios/kick-costs.toml")),
    ("numa", include_str!("../../../scenarios/numa.toml")),
    ("overcommit-designs", include_str!("../../../scenarios/overcommit-designs.toml")),
    ("pv-ticket", include_str!("../../../scenarios/pv-ticket.toml")),
    ("replay", include_str!("../../../scenarios/replay.toml")),
    ("timeslices", include_str!("../../../scenarios/timeslices.toml")),
    ("two-level", include_str!("../../../scenarios/two-level.toml")),
];

/// The scenarios with these names, or in these files, as one profile; and the name that a run has for them.
pub(crate) fn all_of(asked: &[String], registry: &Registry) -> Result<(String, Profile), Error> {
    let mut asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    if asked.contains(&"all") {
        asked = BUILT_IN.iter().map(|(name, _)| *name).collect();
    }
    let (first, others) = asked.split_first().ok_or_else(|| Error::usage("no scenario is named"))?;
    let name = if others.is_empty() { super::name_of(Path::new(first)) } else { "scenarios".into() };
    let mut whole = Profile::scenario(first, registry)?;
    whole.keep_window();
    for other in others {
        let mut profile = Profile::scenario(other, registry)?;
        profile.keep_window();
        whole.rounds = whole.rounds.max(profile.rounds);
        whole.window = whole.window.min(profile.window);
        whole.time = whole.time.zip(profile.time).map(|(one, other)| one + other);
        whole.cells.extend(profile.cells);
    }
    Ok((name, whole))
}

/// Whether a scenario is asked for by the name of a file, and so is the user's own.
pub(crate) fn is_file(name: &str) -> bool {
    name.contains('/') || Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

impl Profile {
    /// Lets the groups keep the length of their windows wherever they go.
    fn keep_window(&mut self) {
        let window = self.window;
        self.cells.iter_mut().for_each(|group| group.window = Some(window));
    }

    /// The built-in scenario of that name, or a user's own where `name` is a file.
    pub(crate) fn scenario(name: &str, registry: &Registry) -> Result<Self, Error> {
        let profile = if is_file(name) {
            Self::read(Path::new(name), registry)?
        } else {
            let found = BUILT_IN.iter().find(|(known, _)| *known == name);
            let names = BUILT_IN.iter().map(|(name, _)| *name).chain(["all"]);
            let (_, text) = found.ok_or_else(|| unknown("scenario", name, names))?;
            Self::parse(name, text, registry).map_err(|e| e.inside(format!("built-in scenario {name}")))?
        };
        if let Some(group) = profile.cells.iter().find(|group| group.case.is_none()) {
            let without = Error::usage("every group of a scenario has a `case` and its `vms`");
            return Err(group.locate(without).inside(name.to_owned()));
        }
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_scenarios_parse_and_have_cases_to_compare() {
        let registry = Registry::new(&[]);
        for (name, _) in BUILT_IN {
            let profile = Profile::scenario(name, &registry).unwrap_or_else(|e| panic!("{e}"));
            let mut cases: Vec<String> =
                profile.cells.iter().map(|group| group.case.clone().unwrap().name).collect();
            cases.sort_unstable();
            cases.dedup();
            assert!(cases.len() > 1, "{name}: {cases:?}");
        }
        assert!(all_of(&["friebel".into()], &registry).unwrap_err().to_string().contains("friebel-hog"));
    }
}
