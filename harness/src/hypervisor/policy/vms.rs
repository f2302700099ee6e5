//! Virtual machines as a policy sees them: groups of vCPUs with a claim to the pCPUs.

use std::collections::BTreeSet;

use lockbench_reports::record::USUAL_WEIGHT;

/// A virtual machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VmShare {
    pub(crate) vcpus: Vec<usize>,
    /// Its share of contended pCPUs is to those of the other machines as their weights are.
    pub(crate) weight: u32,
    /// What all its vCPUs together may use at most, in percent of one pCPU, also where pCPUs would idle.
    pub(crate) cap_percent: Option<f64>,
}

impl VmShare {
    /// A machine of these vCPUs with the usual weight and no cap.
    pub(crate) fn usual(vcpus: impl IntoIterator<Item = usize>) -> Self {
        Self { vcpus: vcpus.into_iter().collect(), weight: USUAL_WEIGHT, cap_percent: None }
    }
}

/// Where a vCPU may run, as numbers of pCPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Affinity {
    /// It never runs on another pCPU.
    pub(crate) hard: BTreeSet<usize>,
    /// Where it rather runs.
    pub(crate) soft: BTreeSet<usize>,
}

impl Affinity {
    /// All of `pcpus` pCPUs, and none of them rather than another.
    pub(crate) fn all(pcpus: usize) -> Self {
        Self::hard(0..pcpus)
    }

    /// These pCPUs, and none of them rather than another.
    pub(crate) fn hard(pcpus: impl IntoIterator<Item = usize>) -> Self {
        let hard: BTreeSet<usize> = pcpus.into_iter().collect();
        Self { soft: hard.clone(), hard }
    }
}
