//! `lockbench doctor`: is this machine fit to measure on, and what to change.

use std::fmt::Write;

use super::axes::cpu_list;
use super::{Done, print};
use crate::axes::{Axis, Env};
use crate::doctor::{self, Level};
use crate::suite::Session;
use crate::{Error, interrupt};

#[derive(clap::Args)]
pub(super) struct Args {
    /// CPUs to look at: 0-3,8 [default: all that this process may use]
    #[arg(long, value_name = "CPUS")]
    pcpus: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<Done, Error> {
    interrupt::install()?;
    let session = Session::open(cpu_list(args.pcpus.as_deref())?.as_ref(), &[Env::parse("kvm")?])?;
    let findings = doctor::examine(&session);
    let mut text = String::new();
    for finding in &findings {
        let level = match finding.level {
            Level::Fine => "fine ",
            Level::Care => "care ",
            Level::Unfit => "UNFIT",
        };
        let _ = writeln!(text, "{level}  {:<22} {}", finding.what, finding.found);
        if let Some(advice) = &finding.advice {
            let _ = writeln!(text, "       {:<22} -> {advice}", "");
        }
    }
    let worst = |level| findings.iter().any(|finding| finding.level == level);
    let (verdict, ended) = if worst(Level::Unfit) {
        ("This machine is not fit to measure on as it is.", Done::Negative)
    } else if worst(Level::Care) {
        (
            "This machine can be measured on, with care: trust ratios taken in one run, with their intervals.",
            Done::Well,
        )
    } else {
        ("This machine is fit to measure on.", Done::Well)
    };
    let _ = writeln!(text, "\n{verdict}");
    print(&text)?;
    Ok(ended)
}
