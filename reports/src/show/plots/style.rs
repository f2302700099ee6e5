//! Colours, marker shapes and dashes: a lock looks the same in every plot of every report.

use super::palette;
use crate::record::{Carried, LockDescriptor, Results};

/// Colours of what is not a lock: the Okabe-Ito colours, which people with any kind of colour vision can tell apart. The page's CSS replaces exactly these values
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

/// The looks of a run's locks. A family has a hue, each of its variants a lightness and a marker of its own, and a variant whose
/// paravirtual code is not used is dashed. No two locks have the same colour, as long as there are colours.
pub(super) struct Looks<'a>(Vec<(&'a str, Style)>);

impl<'a> Looks<'a> {
    /// The looks of every lock that the run describes.
    pub(super) fn of(results: &'a Results) -> Self {
        let wished = results.locks.iter().map(|lock| palette::wished(family(lock), variant(lock)));
        let mut numbers: Vec<Option<usize>> = Vec::new();
        for number in wished {
            numbers.push(Some(number).filter(|number| !numbers.contains(&Some(*number))));
        }
        // A lock whose colour another has gets one that nobody wishes for.
        for place in 0..numbers.len() {
            let free = (0..palette::SIZE).find(|number| !numbers.contains(&Some(*number)));
            numbers[place] = numbers[place].or(free);
        }
        let look = |(lock, number): (&'a LockDescriptor, Option<usize>)| {
            let (family, variant) = (family(lock), variant(lock));
            let against_another = lock.baseline.as_ref().is_some_and(|baseline| *baseline != lock.name);
            let style = Style {
                colour: palette::colour(number.unwrap_or_else(|| palette::wished(family, variant))).light,
                marker: MARKERS[(family + variant + family / MARKERS.len()) % MARKERS.len()],
                dashed: lock.paravirt != Carried::On && against_another,
            };
            (lock.name.as_str(), style)
        };
        Self(results.locks.iter().zip(numbers).map(look).collect())
    }

    /// The look of a lock; muted for a lock that the run does not describe.
    pub(super) fn lock(&self, name: &str) -> Style {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map_or(Style { colour: MUTED, marker: Marker::Plus, dashed: true }, |(_, style)| *style)
    }
}

fn family(lock: &LockDescriptor) -> usize {
    lock.place[0] as usize
}

fn variant(lock: &LockDescriptor) -> usize {
    lock.place[1] as usize
}

/// Style rules that give each colour of a lock its value for dark mode.
pub(crate) fn rules() -> String {
    let of = |number| {
        let palette::Colour { light, dark } = palette::colour(number);
        let (light, dark) = (hex(light), hex(dark));
        format!("svg [fill=\"{light}\"]{{fill:{dark}}}svg [stroke=\"{light}\"]{{stroke:{dark}}}\n")
    };
    let rules: String = (0..palette::SIZE).map(of).collect();
    format!("@media screen and (prefers-color-scheme: dark) {{\n{rules}}}\n")
}

/// A colour as SVG and CSS write it.
pub(super) fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

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

    fn described(count: u32) -> Results {
        let lock = |place: [u32; 2]| LockDescriptor {
            name: format!("lock-{}-{}", place[0], place[1]),
            place,
            baseline: Some("lock-0-0".into()),
            ..LockDescriptor::default()
        };
        let mut results = crate::derive::derive(std::iter::empty());
        results.locks = (0..count).rev().map(|place| lock([place / 2, place % 2])).collect();
        results
    }

    #[test]
    fn no_two_of_sixty_locks_share_a_colour_wherever_an_own_lock_stands() {
        let results = described(60);
        let looks = Looks::of(&results);
        let mut colours: Vec<_> = results.locks.iter().map(|lock| looks.lock(&lock.name).colour).collect();
        colours.sort_unstable();
        colours.dedup();
        assert_eq!(colours.len(), 60);
        assert!(colours.iter().all(|colour| rules().contains(&format!("[fill=\"{}\"]", hex(*colour)))));
    }

    #[test]
    fn locks_beyond_the_palette_have_a_look_all_the_same() {
        let results = described(palette::SIZE as u32 + 20);
        assert_eq!(Looks::of(&results).0.len(), palette::SIZE + 20);
    }
}
