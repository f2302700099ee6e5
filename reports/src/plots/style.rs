//! Colours, marker shapes and dashes: a lock looks the same in every plot of every report.

/// The Okabe-Ito colours, told apart by people with any kind of colour vision. The page's CSS themes them by these
/// very values. Its black is the page's own ink, and its yellow is left out: on white it cannot be seen.
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
/// What markers that are hollow are filled with: the page's background.
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

/// Locks with a look of their own: a family shares a colour, what carries a cure has its own marker, what carries it
/// in vain is dashed.
const KNOWN: [(&str, usize, Marker, bool); 12] = [
    ("ticket", 0, Marker::Circle, false),
    ("pvops-ticket", 0, Marker::Down, true),
    ("pv-ticket", 1, Marker::Square, false),
    ("pv-ticket-off", 1, Marker::Diamond, true),
    ("pv-ticket-bare", 1, Marker::Triangle, true),
    ("pv-byte", 5, Marker::Plus, false),
    ("mcs", 4, Marker::Triangle, false),
    ("queued", 3, Marker::Diamond, false),
    ("pv-queued", 2, Marker::Square, false),
    ("pv-queued-off", 2, Marker::Cross, true),
    ("tas", 5, Marker::Cross, false),
    ("std-mutex", 6, Marker::Plus, false),
];

/// The look of a lock; of one that is not known here, by its place among those that are not.
pub(super) fn of_lock(lock: &str, place: usize) -> Style {
    match KNOWN.iter().find(|known| known.0 == lock) {
        Some(&(_, colour, marker, dashed)) => Style { colour: COLOURS[colour], marker, dashed },
        None => nth(place),
    }
}

/// The look of the `place`-th of several series that are not locks.
pub(super) fn nth(place: usize) -> Style {
    Style {
        colour: COLOURS[place % COLOURS.len()],
        marker: MARKERS[(place + place / COLOURS.len()) % MARKERS.len()],
        dashed: (place / COLOURS.len()) % 2 == 1,
    }
}
