//! The statistics: what is said of a handful of windows taken on a machine that moves.
//!
//! Nothing here knows of locks. No function returns NaN or infinity: values that are not finite are left out, and
//! where nothing can be said the answer is `None` or [`Verdict::NotEnoughData`].

mod bootstrap;
mod class;
mod interval;
mod jain;
mod median;
mod pairs;
mod percentiles;
mod share;
mod steady;
mod verdict;

pub use bootstrap::{BOOTSTRAP_FROM, RESAMPLES, SEED};
pub use class::{CLASS_WIDTH, largest_class};
pub use interval::{coverage, interval};
pub use jain::{JAIN_NEEDS, jain, shares};
pub use median::{median, weighted_median};
pub use pairs::{Paired, Window, rate_interval, ratios};
pub use percentiles::{Percentile, Waits, samples_needed};
pub use share::share_interval;
pub use steady::{STEADY_NEEDS, steady};
pub use verdict::{MARGIN, MIN_ROUNDS, Verdict, judge};
