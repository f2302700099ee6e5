//! Profiles: TOML files, built in or the user's own, that say what to measure and in which order of importance.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::CellGroup;
use crate::axes::{Env, parse_duration};
use crate::error::unknown;
use crate::{Error, Registry, input};

/// The built-in profiles, by name.
pub(crate) static BUILT_IN: &[(&str, &str)] = &[
    ("smoke", include_str!("../../profiles/smoke.toml")),
    ("quick", include_str!("../../profiles/quick.toml")),
    ("standard", include_str!("../../profiles/standard.toml")),
    ("nightly", include_str!("../../profiles/nightly.toml")),
    ("published", include_str!("../../profiles/published.toml")),
    ("peers", include_str!("../../profiles/peers.toml")),
    ("catalogue", include_str!("../../profiles/catalogue.toml")),
];

/// What `check` measures: the first group is that of the lock to check, whose name is filled in.
static CHECK: &str = include_str!("../../profiles/check.toml");

/// A profile. Its groups of cells are a priority list: what does not fit into `time` is dropped from the end.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// One line for `suite --help` and the docs.
    pub(crate) about: String,
    /// Wall time for the whole run; none: no limit.
    pub(crate) time: Option<Duration>,
    /// How often every cell is measured.
    pub(crate) rounds: u32,
    /// Length of a window, at least [`Profile::SHORTEST_WINDOW`].
    pub(crate) window: Duration,
    /// Whether A/A pairs are run.
    pub(crate) noise_floor: bool,
    /// The groups, most important first.
    pub(crate) cells: Vec<CellGroup>,
}

/// A profile as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    about: String,
    #[serde(default, deserialize_with = "optional_duration")]
    time: Option<Duration>,
    rounds: Spanned<u32>,
    #[serde(deserialize_with = "spanned_duration")]
    window: Spanned<Duration>,
    #[serde(default = "yes")]
    noise_floor: bool,
    cells: Vec<Keys>,
}

/// A group of cells as its file has it.
type Keys = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

fn yes() -> bool {
    true
}

impl Profile {
    /// In shorter windows the edges and the kernel's ticks distort the rate.
    pub(crate) const SHORTEST_WINDOW: Duration = Duration::from_millis(100);

    /// A user's own profile, or the built-in one of that name where there is none.
    pub(crate) fn of(own: Option<&Path>, name: &str, registry: &Registry) -> Result<Self, Error> {
        own.map_or_else(|| Self::built_in(name, registry), |path| Self::read(path, registry))
    }

    /// A built-in profile.
    pub(crate) fn built_in(name: &str, registry: &Registry) -> Result<Self, Error> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (_, text) =
            found.ok_or_else(|| unknown("profile", name, BUILT_IN.iter().map(|(name, _)| *name)))?;
        Self::parse(name, text, registry).map_err(|e| e.inside(format!("built-in profile {name}")))
    }

    /// What `check` measures, without the lock to check.
    pub(crate) fn of_check(registry: &Registry) -> Result<Self, Error> {
        Self::parse("check", CHECK, registry).map_err(|e| e.inside("built-in profile check"))
    }

    /// A user's own profile.
    pub(super) fn read(path: &Path, registry: &Registry) -> Result<Self, Error> {
        let text = input::read_text(path, input::WRITTEN_BY_HAND)
            .map_err(|e| Error::file("read the configuration", path, e))?;
        Self::parse(&name_of(path), &text, registry)
            .map_err(|e| e.inside(format!("configuration {}", path.display())))
    }

    /// The environments that it asks for.
    pub(crate) fn envs(&self) -> Vec<Env> {
        self.cells.iter().flat_map(CellGroup::envs).collect()
    }

    /// Reads the text of a profile. Its cases are those of a scenario of that name.
    pub(super) fn parse(name: &str, text: &str, registry: &Registry) -> Result<Self, Error> {
        let line = |at: usize| format!("line {}", 1 + text[..at.min(text.len())].matches('\n').count());
        // The parser's own message shows the line and the field on several lines; the user gets one.
        let file: File = toml::from_str(text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            let said = e.message().replace('\n', " ").replace("expected u32", "expected a number");
            let field = field_at(text, at).filter(|field| !said.contains(field));
            let field = field.map_or_else(String::new, |field| format!("`{field}`: "));
            Error::usage(field + &said).inside(line(at))
        })?;
        let mut cells = Vec::new();
        for keys in file.cells {
            let mut group = CellGroup::default();
            let first = line(keys.keys().map(|key| key.span().start).min().unwrap_or(0));
            let lines: BTreeMap<String, String> =
                keys.keys().map(|key| (key.get_ref().clone(), line(key.span().start))).collect();
            let place = |key: Option<&str>| key.and_then(|key| lines.get(key)).unwrap_or(&first).clone();
            for (key, value) in keys {
                group
                    .set(key.get_ref(), value.get_ref(), registry)
                    .map_err(|e| e.inside(line(key.span().start)))?;
            }
            group.name_case(name, &file.about).map_err(|(key, e)| e.inside(place(key)))?;
            group.check_moves(*file.window.get_ref()).map_err(|(key, e)| e.inside(place(key)))?;
            group.place = first;
            cells.push(group);
        }
        let File { about, time, rounds, window, noise_floor, .. } = file;
        let places = [rounds.span(), window.span()].map(|span| line(span.start));
        let (rounds, window) = (rounds.into_inner(), window.into_inner());
        let profile = Self { about, time, rounds, window, noise_floor, cells };
        let [of_rounds, of_window] = places;
        profile.check_rounds().map_err(|e| e.inside(of_rounds))?;
        profile.check_window().map_err(|e| e.inside(of_window))?;
        profile.check_cells()?;
        Ok(profile)
    }

    /// Checks what types cannot express.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.check_rounds()?;
        self.check_window()?;
        self.check_cells()
    }

    fn check_rounds(&self) -> Result<(), Error> {
        if self.rounds == 0 || self.rounds > 10_000 {
            return Err(Error::usage(format!("rounds is {}; give 1 to 10000", self.rounds)));
        }
        Ok(())
    }

    fn check_window(&self) -> Result<(), Error> {
        if self.window < Self::SHORTEST_WINDOW {
            return Err(Error::usage(format!(
                "window is {:?}; windows below 100ms show the kernel's ticks",
                self.window
            )));
        }
        if self.window > Duration::from_secs(600) {
            return Err(Error::usage(format!("window is {:?}; give at most 10m", self.window)));
        }
        Ok(())
    }

    fn check_cells(&self) -> Result<(), Error> {
        if self.cells.is_empty() {
            return Err(Error::usage("it has no [[cells]]"));
        }
        if let Some(group) = self.cells.iter().find(|group| group.purposes().count() == 0) {
            let nothing =
                Error::usage("a group of cells without `rate`, `latency` and `trace` measures nothing");
            return Err(group.locate(nothing));
        }
        self.cells.iter().try_for_each(|group| {
            group.check_case()?;
            group.check_times().map_err(|e| group.locate(e))?;
            group.check_moves(group.window.unwrap_or(self.window)).map_err(|(_, e)| group.locate(e))
        })
    }
}

/// The field of the line that a place in a file is on; none where the line sets none.
fn field_at(text: &str, at: usize) -> Option<&str> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let (field, _) = text[start..].lines().next()?.split_once('=')?;
    Some(field.trim())
}

/// The name of a user's own profile, by that of its file, as run ids have it.
pub(crate) fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

fn spanned_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<Duration>, D::Error> {
    let text = Spanned::<String>::deserialize(deserializer)?;
    let span = text.span();
    let duration = parse_duration(text.get_ref()).map_err(serde::de::Error::custom)?;
    Ok(Spanned::new(span, duration))
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

fn optional_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        Registry::new(&[])
    }

    #[test]
    fn built_in_profiles_parse() {
        for (name, _) in BUILT_IN {
            Profile::built_in(name, &registry()).unwrap_or_else(|e| panic!("{e}"));
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_field() {
        let text =
            "about = 'x'\nrounds = 6\nwindow = '100ms'\n[[cells]]\nlocks = ['ticket']\nenvz = ['native']\n";
        let error = Profile::parse("own", text, &registry()).unwrap_err().to_string();
        assert!(error.contains("line 6") && error.contains("envz"), "{error}");
        let values = "about = 'x'\nrounds = 6\nwindow = '100ms'\n[[cells]]\nmemory = ['local', 'far']\n";
        let error = Profile::parse("own", values, &registry()).unwrap_err().to_string();
        assert!(error.starts_with("line 5: ") && error.contains("`far`"), "{error}");
        let short = "about = 'x'\nrounds = 6\nwindow = '10ms'\n[[cells]]\nvcpus = [1]\n";
        assert!(Profile::parse("own", short, &registry()).unwrap_err().to_string().contains("below 100ms"));
    }
}
