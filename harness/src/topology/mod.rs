//! Where vCPUs and memory go: the machine as hwloc sees it, placements over it, and real binding.
//!
//! [`load`] turns a [`Source`] (this machine, an hwloc XML file, a synthetic description) into a plain [`Machine`] and
//! a [`Binder`]. A [`Placement`] orders the machine's CPUs, a [`Memory`] policy picks NUMA nodes, and the binder pins
//! threads and memory, then reads back what the kernel made of it. [`describe`] draws it all as text.

mod absence;
mod bind;
mod bind_memory;
mod cpu_list;
mod draw;
mod error;
mod extract;
mod group;
mod isolate;
mod limits;
mod load;
mod machine;
mod memory;
mod pairs;
mod pin;
mod placement;
mod restrict;
mod source;
mod table;
mod text;

pub(crate) use absence::Told;
pub use absence::{Absences, Why};
pub use bind::{Binder, Outcome, Via};
pub use bind_memory::{Nodes, Page, Residence};
pub use cpu_list::CpuList;
pub use draw::draw;
pub use error::Error;
pub use load::load;
pub use machine::{Cache, CacheKind, Core, Distances, Machine, Node, NodeIndex, Package, Pu, PuIndex};
pub use memory::Memory;
pub use pairs::pairs;
pub use pin::{current_cpu, pin_current};
pub use placement::{Placement, assign};
pub use source::Source;
pub use table::placements;

/// The machine drawn as text, then where each placement would put the first `vcpus` vCPUs.
pub fn describe(machine: &Machine, vcpus: usize) -> String {
    format!("{}\n{}", draw(machine), placements(machine, vcpus))
}

#[cfg(test)]
pub(crate) mod tests;
