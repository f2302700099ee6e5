//! Labels at the ends of lines, in the place of a legend.

use super::canvas::{Frame, WIDTH};
use super::dodge::heights;
use super::group::{Group, Place};
use super::style::Style;

/// Distance between two labels, with room for the larger letters of a phone.
const PITCH: f64 = 15.0;
/// Letters of a label.
const MOST_LETTERS: usize = 26;
/// Width of a letter, at the size that phones show.
const LETTER: f64 = 6.9;
/// Room between a frame and its labels, for their leaders.
const GAP: f64 = 14.0;

/// A label, and the end of the line that it belongs to.
pub(super) struct Label {
    pub(super) text: String,
    pub(super) end: Place,
    pub(super) style: Style,
}

/// A text cut to the length of a label.
pub(super) fn cut(text: &str) -> String {
    if text.chars().count() <= MOST_LETTERS {
        return text.to_owned();
    }
    text.chars().take(MOST_LETTERS - 1).chain(['…']).collect()
}

/// Room right of a frame for labels.
pub(super) fn room<'a>(texts: impl Iterator<Item = &'a str>) -> u32 {
    let longest = texts.map(|text| text.chars().count().min(MOST_LETTERS)).max().unwrap_or(0);
    (GAP + longest as f64 * LETTER) as u32 + 4
}

/// Height that a picture needs for this many labels, and at least `height`.
pub(super) fn height(labels: usize, height: u32) -> u32 {
    height.max(70 + (labels as f64 * PITCH) as u32)
}

/// Adds each label to its group, at the height of its line's end as far as the others leave room.
pub(super) fn add(frame: &Frame<'_, '_>, groups: &mut [Group], labels: &[Option<Label>]) {
    let (top, bottom) = frame.top_and_bottom();
    let wished: Vec<f64> = labels.iter().flatten().map(|label| label.end.1).collect();
    let mut heights = heights(&wished, PITCH, top, bottom).into_iter();
    for (group, label) in groups.iter_mut().zip(labels) {
        let Some((label, height)) = label.as_ref().and_then(|label| Some((label, heights.next()?))) else {
            continue;
        };
        let left = frame.right() + GAP;
        let across = [label.end, (frame.right(), label.end.1), (left - 3.0, height)];
        group.leader(&across, label.style);
        group.label((left.min(f64::from(WIDTH)), height), &cut(&label.text));
    }
}
