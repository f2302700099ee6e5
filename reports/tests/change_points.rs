//! How many known steps our method and E-divisive find in made-up series, and how many of their calls are false.
//!
//! `cargo test -p lockbench-reports --release --test change_points -- --nocapture` prints the figures that
//! docs/nightly.md states.

use lockbench_reports::statistics::{Course, FALSE_DISCOVERIES, MARGIN, Random, benjamini_hochberg};

const NIGHTS: usize = 200;
const STEPS: [f64; 4] = [0.05, 0.10, 0.20, 0.40];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Noise,
    Outliers,
    Drift,
    Lasting,
    MissingNights,
}

const KINDS: [Kind; 5] = [Kind::Noise, Kind::Outliers, Kind::Drift, Kind::Lasting, Kind::MissingNights];

struct Made {
    kind: Kind,
    values: Vec<f64>,
    /// First night after the step, and the step's size; half of the series have no step.
    step: Option<(usize, f64)>,
}

/// Unchanged nights differ by about 2 to 3 %; some are outliers besides.
fn made(random: &mut Random, kind: Kind, step: Option<f64>) -> Made {
    let sigma = 0.02 + 0.01 * random.unit();
    let at = 40 + random.below(NIGHTS - 60);
    let mut last = 0.0;
    let mut values = Vec::new();
    let mut found = None;
    for night in 0..NIGHTS {
        if kind == Kind::MissingNights && random.below(5) == 0 {
            continue;
        }
        // Tails heavier than normal: one night in ten three times as wide.
        let mut noise = sigma * random.normal() * if random.below(10) == 0 { 3.0 } else { 1.0 };
        match kind {
            Kind::Outliers if random.below(20) == 0 => noise -= 0.2 + 0.5 * random.unit(),
            Kind::Drift => noise += 0.06 * night as f64 / NIGHTS as f64,
            Kind::Lasting => {
                noise = 0.5 * last + noise * 0.75_f64.sqrt();
                last = noise;
            }
            _ => {}
        }
        if let Some(size) = step
            && night >= at
        {
            found.get_or_insert(values.len());
            noise -= size.ln_1p();
        }
        values.push(noise);
    }
    Made { kind, values, step: found.zip(step) }
}

fn fleet(seed: u64, each: usize) -> Vec<Made> {
    let mut random = Random::new(seed);
    let mut fleet = Vec::new();
    for kind in KINDS {
        for _ in 0..each {
            fleet.push(made(&mut random, kind, None));
            for size in STEPS {
                fleet.push(made(&mut random, kind, Some(size)));
                fleet.push(made(&mut random, kind, None));
            }
        }
    }
    fleet
}

#[derive(Default)]
struct Score {
    found: [usize; STEPS.len()],
    there: [usize; STEPS.len()],
    false_alarms: usize,
    calls: usize,
    by_kind: [usize; KINDS.len()],
}

impl Score {
    fn count(&mut self, made: &Made, calls: &[usize]) {
        self.calls += calls.len();
        let near = |at: usize, call: usize| at.abs_diff(call) <= 5;
        if let Some((at, size)) = made.step {
            let which = STEPS.iter().position(|step| *step == size).unwrap();
            self.there[which] += 1;
            self.found[which] += usize::from(calls.iter().any(|&call| near(at, call)));
        }
        let wrong = calls.iter().filter(|&&call| made.step.is_none_or(|(at, _)| !near(at, call))).count();
        self.false_alarms += wrong;
        self.by_kind[KINDS.iter().position(|kind| *kind == made.kind).unwrap()] += wrong;
    }

    fn print(&self, name: &str, series: usize) {
        let recall: Vec<String> = STEPS
            .iter()
            .zip(self.found.iter().zip(self.there))
            .map(|(size, (found, there))| format!("{:.0} %: {found} of {there}", size * 100.0))
            .collect();
        println!(
            "{name}: steps found within 5 nights {}; false alarms {} in {series} series of {NIGHTS} nights ({} calls); by kind {KINDS:?} {:?}",
            recall.join(", "),
            self.false_alarms,
            self.calls,
            self.by_kind
        );
    }
}

fn ours(fleet: &[Made]) -> Score {
    let courses: Vec<Course> = fleet.iter().map(|made| Course::new(&made.values).unwrap()).collect();
    let p: Vec<f64> = courses.iter().map(Course::strongest).collect();
    let believed = benjamini_hochberg(&p, FALSE_DISCOVERIES);
    let part = believed.iter().filter(|yes| **yes).count() as f64 / fleet.len() as f64;
    let mut score = Score::default();
    for ((made, course), believed) in fleet.iter().zip(courses).zip(believed) {
        let calls = if believed { course.changes(FALSE_DISCOVERIES * part, MARGIN) } else { Vec::new() };
        score.count(made, &calls);
    }
    score
}

#[test]
fn recall_and_false_alarms() {
    let fleet = fleet(11, 12);
    let score = ours(&fleet);
    score.print("lockbench", fleet.len());
    let recall = |which: usize| score.found[which] as f64 / score.there[which] as f64;
    assert!(recall(2) >= 0.95 && recall(3) >= 0.98 && recall(1) >= 0.6);
    assert!((score.false_alarms as f64) <= 0.02 * fleet.len() as f64, "{} false alarms", score.false_alarms);
}

#[test]
fn as_good_as_e_divisive() {
    let fleet = fleet(12, 2);
    let ours = ours(&fleet);
    ours.print("lockbench", fleet.len());
    let mut random = Random::new(1);
    let mut theirs = Score::default();
    for made in &fleet {
        let mut calls = Vec::new();
        e_divisive(&made.values, 0, made.values.len(), &mut calls, &mut random);
        // The same margin for both methods: a difference too small to matter does not count as a call.
        calls.sort_unstable();
        let course = Course::new(&made.values).unwrap();
        let all = calls.clone();
        let large = |index: &usize| course.step(&all, *index).abs() >= MARGIN.ln_1p();
        let calls: Vec<usize> = (0..all.len()).filter(large).map(|index| all[index]).collect();
        theirs.count(made, &calls);
    }
    theirs.print("E-divisive (99 permutations, p 0.01)", fleet.len());
    assert!(ours.found.iter().sum::<usize>() + 2 >= theirs.found.iter().sum::<usize>());
    assert!(ours.false_alarms <= theirs.false_alarms);
}

/// Matteson and James 2014, by bisection: the split of largest energy distance, kept if no permutation exceeds it.
fn e_divisive(values: &[f64], start: usize, end: usize, calls: &mut Vec<usize>, random: &mut Random) {
    let mut segment = values[start..end].to_vec();
    let Some((at, observed)) = energy(&segment) else { return };
    for _ in 0..99 {
        for i in (1..segment.len()).rev() {
            segment.swap(i, random.below(i + 1));
        }
        if energy(&segment).is_some_and(|(_, by_chance)| by_chance >= observed) {
            return;
        }
    }
    calls.push(start + at);
    e_divisive(values, start, start + at, calls, random);
    e_divisive(values, start + at, end, calls, random);
}

fn energy(values: &[f64]) -> Option<(usize, f64)> {
    const LEAST: usize = 5;
    let n = values.len();
    if n < 2 * LEAST {
        return None;
    }
    let sum = |values: &[f64], from: f64| values.iter().map(|value| (value - from).abs()).sum::<f64>();
    let mut left = 0.0;
    let mut right: f64 = (0..n).map(|i| sum(&values[i + 1..], values[i])).sum();
    let mut between = 0.0;
    let mut best = None;
    for at in 0..n {
        // The value at `at` moves from the right to the left.
        let (to_left, to_right) = (sum(&values[..at], values[at]), sum(&values[at + 1..], values[at]));
        left += to_left;
        right -= to_right;
        between += to_right - to_left;
        let (a, b) = ((at + 1) as f64, (n - at - 1) as f64);
        if at + 1 < LEAST || n - at - 1 < LEAST {
            continue;
        }
        let distance = 2.0 * between / (a * b) - 2.0 * left / (a * (a - 1.0)) - 2.0 * right / (b * (b - 1.0));
        let score = a * b / (a + b) * distance;
        if best.is_none_or(|(_, known)| score > known) {
            best = Some((at + 1, score));
        }
    }
    best
}
