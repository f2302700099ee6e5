//! Progress with the time left, on stderr.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar that is drawn between windows only, so that drawing disturbs no window.
pub(crate) struct Progress {
    bar: ProgressBar,
    began: Instant,
    estimate: Duration,
}

impl Progress {
    /// Makes a bar for this number of windows and this estimate of their time. Hidden where stderr is no terminal.
    pub(crate) fn new(windows: u64, estimate: Duration) -> Self {
        let bar = ProgressBar::with_draw_target(Some(windows), ProgressDrawTarget::stderr());
        if let Ok(style) =
            ProgressStyle::with_template("{bar:24} {pos}/{len} windows  {prefix} left  {wide_msg}")
        {
            bar.set_style(style);
        }
        Self { bar, began: Instant::now(), estimate }
    }

    /// Shows which cell is being measured.
    pub(crate) fn show(&self, cell: &str, round: u32) {
        let left = self.left().as_secs();
        self.bar.set_prefix(format!("{}:{:02}", left / 60, left % 60));
        self.bar.set_message(format!("round {}  {cell}", round + 1));
    }

    /// One window is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// The time left, from the pace so far once there is one.
    fn left(&self) -> Duration {
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
        if done < 4 {
            return self.estimate.saturating_sub(self.began.elapsed());
        }
        self.began.elapsed().mul_f64(all.saturating_sub(done) as f64 / done as f64)
    }
}

/// Clears the bar, however the run ended.
impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
