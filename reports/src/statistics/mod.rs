//! Statistics of a handful of windows, taken on a machine whose pCPUs may move.
//!
//! This module knows nothing of locks. No function returns NaN or infinity: values that are not finite are left out, and
//! where nothing can be said the answer is `None` or [`Verdict::NotEnoughData`].

mod change_points;
mod class;
mod discoveries;
mod gamma;
mod in_common;
mod interval;
mod jain;
mod kin;
mod median;
mod night_noise;
mod order_statistics;
mod pairs;
mod percentiles;
mod random;
mod share;
mod shared_out;
mod shift;
mod sign_flips;
mod steady;
mod steps;
mod student;
mod timeslice_bound;
mod trips;
mod verdict;
mod window_noise;

pub use change_points::{Course, FEWEST_NIGHTS};
pub use class::{Class, largest_class};
pub use discoveries::{FALSE_DISCOVERIES, adaptive, benjamini_hochberg, hierarchical, simes};
pub use in_common::{Member, without_common};
pub use interval::{coverage, interval, inverse};
pub use jain::{JAIN_NEEDS, jain, shares};
pub use kin::{FEWEST_KIN, steady_by_kin};
pub use median::{median, middle_and_99th, weighted_median};
pub use pairs::{
    NO_PAIR, Paired, Window, rate_interval, ratios, ratios_across, rounds_at_one_distance, rounds_in_class,
};
pub use percentiles::{Percentile, Waits, samples_needed};
pub use random::{RESAMPLES, Random, SEED};
pub use share::share_interval;
pub use shared_out::shared_out;
pub use sign_flips::{FEWEST_PAIRS, step_down};
pub use steady::{STEADY_NEEDS, STEADY_NEEDS_ACQUISITIONS, steady};
pub use student::{quantile, two_sided};
pub use timeslice_bound::timeslice_bound;
pub use trips::{Apart, Spans, Trips, Which};
pub use verdict::{MARGIN, MIN_ROUNDS, Verdict, judge};
pub use window_noise::error_of_medians;
