//! The options that set the thresholds of verdicts.

use lockbench_reports::record::Thresholds;

use crate::Error;

#[derive(clap::Args)]
#[command(next_help_heading = "Thresholds of verdicts")]
pub(super) struct Options {
    /// A lock holds that keeps at least this fraction of its rate at 1x [default: 0.8]
    #[arg(long, value_name = "FRACTION")]
    holds: Option<f64>,
    /// A lock collapses that keeps less than this fraction [default: 0.25]
    #[arg(long, value_name = "FRACTION")]
    collapses: Option<f64>,
    /// A lock is fair if its worst-served vCPU gets at least this fraction of an equal share [default: 0.5]
    #[arg(long, value_name = "FRACTION")]
    fair: Option<f64>,
    /// A lock starves a vCPU that gets less than this fraction [default: 0.1]
    #[arg(long, value_name = "FRACTION")]
    starving: Option<f64>,
    /// A lock is unfair if a vCPU waits longer than this number of turns of the queue [default: 4]
    #[arg(long, value_name = "TURNS")]
    long_wait: Option<f64>,
    /// A lock starves a vCPU that waits longer than this number of turns [default: 10]
    #[arg(long, value_name = "TURNS")]
    starving_wait: Option<f64>,
    /// By which fraction intervals are widened before they are judged, for what two runs differ by [default: 0.1]
    #[arg(long, value_name = "FRACTION")]
    between_runs: Option<f64>,
}

impl Options {
    /// The thresholds; those that were not given are the default.
    pub(super) fn thresholds(&self) -> Result<Thresholds, Error> {
        let default = Thresholds::default();
        let thresholds = Thresholds {
            holds: self.holds.unwrap_or(default.holds),
            collapses: self.collapses.unwrap_or(default.collapses),
            fair: self.fair.unwrap_or(default.fair),
            starving: self.starving.unwrap_or(default.starving),
            long_wait: self.long_wait.unwrap_or(default.long_wait),
            starving_wait: self.starving_wait.unwrap_or(default.starving_wait),
            between_runs: self.between_runs.unwrap_or(default.between_runs),
        };
        thresholds.check().map_err(Error::usage)?;
        Ok(thresholds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parsed(line: &str) -> Result<Thresholds, Error> {
        let line = Line::try_parse_from(["lockbench"].into_iter().chain(line.split_whitespace())).unwrap();
        line.options.thresholds()
    }

    #[test]
    fn thresholds_that_are_not_given_are_the_default_and_help_says_which() {
        assert_eq!(parsed("").unwrap(), Thresholds::default());
        let given = parsed("--holds 0.9 --starving-wait 12").unwrap();
        assert_eq!(given, Thresholds { holds: 0.9, starving_wait: 12.0, ..Thresholds::default() });
        let help = <Line as clap::CommandFactory>::command().render_help().to_string();
        let Thresholds { holds, collapses, fair, starving, long_wait, starving_wait, between_runs } =
            Thresholds::default();
        for value in [holds, collapses, fair, starving, long_wait, starving_wait, between_runs] {
            assert!(help.contains(&format!("[default: {value}]")), "{value}: {help}");
        }
    }

    #[test]
    fn thresholds_out_of_order_are_refused() {
        assert!(parsed("--holds 0.2").unwrap_err().to_string().contains("cannot both hold and collapse"));
        assert!(parsed("--fair NaN").is_err());
    }
}
