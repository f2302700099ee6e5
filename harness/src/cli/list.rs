//! `lockbench list`: everything that can be asked for by name.

use std::fmt::Write;

use lockbench_workloads::workload::{SECTIONS, THINKS};
use serde::Serialize;

use super::shared_locks::SharedLocks;
use super::{Done, instructions, print};
use crate::axes::{self, Env, flags};
use crate::plan::{BUILT_IN, Profile, scenarios};
use crate::topology::Placement;
use crate::{Error, Registry};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// List the machine code of the locks instead: bytes, instructions and locked instructions (x86-64)
    #[arg(long)]
    instructions: bool,
    #[command(flatten)]
    pub(super) shared_locks: SharedLocks,
}

#[derive(Serialize)]
struct Lock {
    name: &'static str,
    family: &'static str,
    about: &'static str,
    core: bool,
    order: &'static str,
    paravirt: &'static str,
    baseline: Option<&'static str>,
    leaf: bool,
    blocks: bool,
    revision: u32,
    lock_bytes: usize,
    per_vcpu_bytes: usize,
    source: &'static str,
}

#[derive(Serialize)]
struct Named {
    name: String,
    about: String,
}

#[derive(Serialize)]
struct Axis {
    option: &'static str,
    key: &'static str,
    default: &'static str,
    about: &'static str,
}

#[derive(Serialize)]
struct Listing {
    locks: Vec<Lock>,
    environments: Vec<Named>,
    sections: Vec<Named>,
    think_times: Vec<Named>,
    placements: Vec<String>,
    profiles: Vec<Named>,
    scenarios: Vec<Named>,
    axes: Vec<Axis>,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result<Done, Error> {
    if args.instructions {
        return instructions::list(args.json);
    }
    let listing = listing(registry)?;
    if args.json {
        let json = serde_json::to_string_pretty(&listing)?;
        print(&format!("{json}\n"))?;
    } else {
        print(&text(&listing))?;
    }
    Ok(Done::Well)
}

fn named(name: impl Into<String>, about: impl Into<String>) -> Named {
    Named { name: name.into(), about: about.into() }
}

fn listing(registry: &Registry) -> Result<Listing, Error> {
    let locks = registry.locks().map(|axes::Lock { family, variant, .. }| Lock {
        name: variant.name,
        family: family.name,
        about: variant.about,
        core: variant.core,
        order: family.order.name(),
        paravirt: variant.paravirt.name(),
        baseline: variant.baseline,
        leaf: family.leaf,
        blocks: family.blocks,
        revision: family.revision,
        lock_bytes: family.lock.size(),
        per_vcpu_bytes: family.per_vcpu.size(),
        source: family.source,
    });
    let scenarios = scenarios::BUILT_IN
        .iter()
        .map(|(name, _)| Ok(named(*name, Profile::scenario(name, registry)?.about)));
    let profiles =
        BUILT_IN.iter().map(|(name, _)| Ok(named(*name, Profile::built_in(name, registry)?.about)));
    Ok(Listing {
        locks: locks.collect(),
        environments: Env::all().map(|env| named(env.name(), env.about())).collect(),
        sections: SECTIONS.iter().map(|section| named(section.name, section.about)).collect(),
        think_times: THINKS.iter().map(|think| named(think.name, think.about)).collect(),
        placements: Placement::ALL.iter().map(ToString::to_string).chain(["node:N".into()]).collect(),
        profiles: profiles.collect::<Result<_, Error>>()?,
        scenarios: scenarios.collect::<Result<_, Error>>()?,
        axes: flags()
            .map(|flag| Axis { option: flag.name, key: flag.key, default: flag.default, about: flag.help })
            .collect(),
    })
}

fn text(listing: &Listing) -> String {
    let mut text = String::from(
        "Locks (* core: these answer the three questions in every profile; pv: paravirtual code)\n",
    );
    for lock in &listing.locks {
        let mark = if lock.core { '*' } else { ' ' };
        let Lock { name, order, paravirt, about, .. } = lock;
        let _ = writeln!(text, "{mark} {name:<20} {order:<6} pv {paravirt:<7} {about}");
    }
    let mut section = |title: &str, entries: &[Named]| {
        let _ = writeln!(text, "\n{title}");
        for entry in entries {
            let _ = writeln!(text, "  {:<16} {}", entry.name, entry.about);
        }
    };
    section("Environments", &listing.environments);
    section("Sections (a workload is a section, or section+think)", &listing.sections);
    section("Think times", &listing.think_times);
    section("Profiles", &listing.profiles);
    section("Scenarios (suite --scenario)", &listing.scenarios);
    let _ = writeln!(text, "\nPlacements\n  {}", listing.placements.join(", "));
    let _ = writeln!(
        text,
        "\nAxes (options of suite, run and duel; docs/configuration.md has the keys of profiles)"
    );
    for axis in &listing.axes {
        let default =
            if axis.default.is_empty() { String::new() } else { format!(" [default: {}]", axis.default) };
        let _ = writeln!(text, "  --{:<14} {}{default}", axis.option, axis.about);
    }
    text
}
