//! Colours, marker shapes and dashes: a lock looks the same in every plot of every report.

use crate::record::{Carried, Results};

/// The Okabe-Ito colours, which people with any kind of colour vision can tell apart. The page's CSS replaces exactly these values
/// by its own for light and dark mode. Black is the colour of the page's text; yellow is left out, for on white it cannot be seen.
pub(super) const COLOURS: [(u8, u8, u8); 7] = [
    (0xD5, 0x5E, 0x00), // vermillion
    (0x00, 0x72, 0xB2), // blue
    (0x00, 0x9E, 0x73), // bluish green
    (0xCC, 0x79, 0xA7), // reddish purple
    (0xE6, 0x9F, 0x00), // orange
    (0x56, 0xB4, 0xE9), // sky blue
    INK,
];

/// Text and axes.
pub(super) const INK: (u8, u8, u8) = (0x00, 0x00, 0x00);
/// Lesser text.
pub(super) const MUTED: (u8, u8, u8) = (0x55, 0x55, 0x55);
/// Grid lines.
pub(super) const GRID: (u8, u8, u8) = (0xDD, 0xDD, 0xDD);
/// The fill of hollow markers: the page's background.
pub(super) const PAPER: (u8, u8, u8) = (0xFF, 0xFF, 0xFF);

/// Marker shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
    Plus,
    Down,
}

const MARKERS: [Marker; 7] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::Cross,
    Marker::Plus,
    Marker::Down,
];

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub(super) colour: (u8, u8, u8),
    pub(super) marker: Marker,
    pub(super) dashed: bool,
}

/// The looks of a run's locks. A family has a colour, its variants have markers of their own, and a variant whose paravirtual code
/// is not used is dashed. No two locks look the same.
pub(super) struct Looks<'a>(Vec<(&'a str, Style)>);

impl<'a> Looks<'a> {
    /// The looks of every lock that the run describes.
    pub(super) fn of(results: &'a Results) -> Self {
        let mut looks: Vec<(&str, Style)> = Vec::new();
        for lock in &results.locks {
            let [family, variant] = lock.place.map(|place| place as usize);
            let against_another = lock.baseline.as_ref().is_some_and(|baseline| *baseline != lock.name);
            let wished = Style {
                colour: COLOURS[family % COLOURS.len()],
                marker: MARKERS[(family + variant + family / COLOURS.len()) % MARKERS.len()],
                dashed: lock.paravirt != Carried::On && against_another,
            };
            let taken = |style: &Style| looks.iter().any(|(_, other)| other == style);
            let style =
                [wished].into_iter().chain((0..).map(nth).take(MOST_LOOKS)).find(|style| !taken(style));
            looks.push((&lock.name, style.unwrap_or(wished)));
        }
        Self(looks)
    }

    /// The look of a lock; muted for a lock that the run does not describe.
    pub(super) fn lock(&self, name: &str) -> Style {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map_or(Style { colour: MUTED, marker: Marker::Plus, dashed: true }, |(_, style)| *style)
    }
}

/// Number of different looks.
const MOST_LOOKS: usize = 2 * COLOURS.len() * MARKERS.len();

/// The look of the `place`-th of several series that are not locks.
pub(super) fn nth(place: usize) -> Style {
    Style {
        colour: COLOURS[place % COLOURS.len()],
        marker: MARKERS[(place + place / COLOURS.len()) % MARKERS.len()],
        dashed: (place / (COLOURS.len() * MARKERS.len())) % 2 == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::LockDescriptor;

    #[test]
    fn no_two_of_sixty_locks_look_alike_wherever_an_own_lock_stands() {
        let lock = |place: [u32; 2]| LockDescriptor {
            name: format!("lock-{}-{}", place[0], place[1]),
            place,
            baseline: Some("lock-0-0".into()),
            ..LockDescriptor::default()
        };
        let mut results = crate::derive::derive(std::iter::empty());
        results.locks = (0..60).rev().map(|place| lock([place / 2, place % 2])).collect();
        let looks = Looks::of(&results);
        for one in &results.locks {
            for other in results.locks.iter().filter(|other| other.name != one.name) {
                assert_ne!(looks.lock(&one.name), looks.lock(&other.name), "{} {}", one.name, other.name);
            }
        }
    }
}
