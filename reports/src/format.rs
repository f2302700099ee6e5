//! Writes figures, and text from outside, for people to read.

use crate::record::{Interval, Workload};

/// A rate: `6.50 M/s`, `450/s`.
pub fn rate(per_second: f64) -> String {
    match per_second.abs() {
        value if value >= 999.5e6 => format!("{} G/s", significant(per_second / 1e9)),
        value if value >= 999.5e3 => format!("{} M/s", significant(per_second / 1e6)),
        value if value >= 999.5 => format!("{} k/s", significant(per_second / 1e3)),
        _ => format!("{}/s", significant(per_second)),
    }
}

/// A duration: `5.70 ns`, `12.3 µs`, `4.00 ms`, `1.20 s`.
pub fn duration(ns: f64) -> String {
    match ns.abs() {
        value if value >= 999.5e6 => format!("{} s", significant(ns / 1e9)),
        value if value >= 999.5e3 => format!("{} ms", significant(ns / 1e6)),
        value if value >= 999.5 => format!("{} µs", significant(ns / 1e3)),
        _ => format!("{} ns", significant(ns)),
    }
}

/// A round trip between pCPUs: `84 ns`, `113 µs`.
pub fn distance(ns: f64) -> String {
    if ns < 999.5 { format!("{ns:.0} ns") } else { duration(ns) }
}

/// What the vCPUs of a workload contend for: `one saturated lock (short)`.
pub fn contended(workload: &Workload) -> String {
    let name = printable(&workload.name);
    match (workload.locks, workload.section.as_str()) {
        (0 | 1, _) => format!("one saturated lock ({name})"),
        (_, "nested") => format!("a lock inside another ({name})"),
        (locks, _) => format!("{locks} locks, some of them hot ({name})"),
    }
}

/// A fraction as a percentage: `0.0069 %`, `42.0 %`.
pub fn percent(fraction: f64) -> String {
    format!("{} %", significant(fraction * 100.0))
}

/// How far two measurements of one thing lie apart, from what the greater has over the smaller: `5.51 %`, and from double on `94.3 times`.
pub fn apart(more: f64) -> String {
    if more < 1.0 { percent(more) } else { format!("{} times", significant(1.0 + more)) }
}

/// How far something may lie off either way: `±5.51 %`, and from double on `94.3 times`, for nothing is 9,330 % less.
pub fn bound(more: f64) -> String {
    if more < 1.0 { format!("±{}", percent(more)) } else { apart(more) }
}

/// A ratio: `1.09`, `25.1`.
pub fn ratio(value: f64) -> String {
    significant(value)
}

/// An overcommit factor: `1x`, `1.5x`, `2x`.
pub fn overcommit(k: f64) -> String {
    if k.abs() < 1e6 { format!("{}x", (k * 100.0).round() / 100.0) } else { format!("{}x", significant(k)) }
}

/// An interval in words, by one of the functions above: `0.93 to 1.12`.
pub fn range(interval: Interval, show: impl Fn(f64) -> String) -> String {
    format!("{} to {}", show(interval.low), show(interval.high))
}

/// An interval of fractions as percentages, with one sign for both ends: `48.1 to 50.8 %`.
pub fn percents(interval: Interval) -> String {
    format!("{} %", range(interval, |fraction| significant(fraction * 100.0)))
}

/// Three significant digits with thousands separated, never `-0`; a dash for NaN and infinity.
pub fn significant(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    // Rounded before its digits are counted: 0.9997 is 1.00, not 1.000.
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    let digits = 2 - rounded.abs().log10().floor().clamp(-300.0, 300.0) as i32;
    match digits {
        ..=0 => grouped(value),
        1..=8 => format!("{value:.*}", digits as usize),
        _ => format!("{value:.2e}"),
    }
}

fn grouped(value: f64) -> String {
    if value.abs() >= 1e15 {
        return format!("{value:.2e}");
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", count(value.abs().round() as u64))
}

/// A count with thousands separated: `1,234,567`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number of things: `1 night`, `2 nights`. The noun forms its plural with an s, or has one form for both.
pub fn counted(number: usize, noun: &str) -> String {
    let ending = if number == 1 || noun == "series" { "" } else { "s" };
    format!("{} {noun}{ending}", count(number as u64))
}

/// A size: `4 vCPUs on 2 pCPUs`.
pub fn vcpus_on(vcpus: u32, pcpus: usize) -> String {
    format!("{} on {}", counted(vcpus as usize, "vCPU"), counted(pcpus, "pCPU"))
}

/// Text from outside, made safe for a terminal and a line of prose: control and bidirectional characters become `�`, and
/// text beyond 300 characters is cut off.
pub fn printable(text: &str) -> String {
    printable_up_to(text, 300)
}

/// A text of several sentences made printable word by word, for [`printable`] would cut it off.
pub fn printable_words(text: &str) -> String {
    text.split(' ').map(printable).collect::<Vec<_>>().join(" ")
}

/// As [`printable`], cut after `longest` characters.
pub fn printable_up_to(text: &str, longest: usize) -> String {
    let mut shown: String =
        text.chars().take(longest).map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

/// Characters that can drive a terminal or turn the reading direction of what follows.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_contended_for_is_one_lock_or_several() {
        let of = |name: &str, section: &str, locks: u32| {
            let workload = serde_json::json!({
                "name": name, "section": section, "locks": locks, "section_ns": 100.0, "lines": 0, "think": "none", "think_ns": 0.0,
            });
            contended(&serde_json::from_value(workload).unwrap())
        };
        assert_eq!(of("short+exp", "", 1), "one saturated lock (short+exp)");
        assert_eq!(of("nested", "nested", 2), "a lock inside another (nested)");
        assert_eq!(of("many:16", "many", 16), "16 locks, some of them hot (many:16)");
    }

    #[test]
    fn figures() {
        assert_eq!(rate(6_500_000.0), "6.50 M/s");
        assert_eq!(rate(450.2), "450/s");
        assert_eq!(rate(0.0), "0/s");
        assert_eq!(rate(999_700.0), "1.00 M/s");
        assert_eq!(duration(5.7), "5.70 ns");
        assert_eq!(duration(4e6), "4.00 ms");
        assert_eq!(percent(0.00007), "0.00700 %");
        assert_eq!(significant(14_400.0), "14,400");
        assert_eq!(significant(-1234.0), "-1,234");
        assert_eq!(significant(1e-12), "1.00e-12");
        assert_eq!(overcommit(1.5), "1.5x");
        assert_eq!(overcommit(2.0), "2x");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(
            [counted(1, "night"), counted(0, "night"), counted(1, "series")].join(", "),
            "1 night, 0 nights, 1 series"
        );
    }

    /// No change is told in thousands of percent: there the percentage of a decrease and of an increase say nothing alike.
    #[test]
    fn from_double_on_a_bound_is_a_factor() {
        assert_eq!([bound(0.0551), bound(0.999), bound(93.3)].join(", "), "±5.51 %, ±99.9 %, 94.3 times");
        assert_eq!(apart(93.3), "94.3 times");
    }

    #[test]
    fn what_is_no_number_is_a_dash() {
        assert_eq!(significant(f64::NAN), "–");
        assert_eq!(rate(f64::INFINITY), "– G/s");
        assert!(!significant(f64::MAX).is_empty() && !overcommit(f64::MAX).is_empty());
    }

    #[test]
    fn nothing_drives_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
        assert_eq!(printable(&"x".repeat(10_000)).chars().count(), 301);
    }
}
