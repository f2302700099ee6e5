//! What the workload of a vCPU that is alone cannot have: anything that would stand between an acquire and a release, or beside them.

use lockbench_reports::record::{self, Dropped};
use lockbench_workloads::workload::Section;

use super::Workload;
use crate::Error;
use crate::axes::SliceExtension;

/// Why there is no think time between two turns; nothing where there is none.
pub(super) fn check_think(section: &Section, think_ns: f64) -> Result<(), String> {
    if section.alone && think_ns > 0.0 {
        return Err(format!(
            "between two turns of `{}` there is nothing, so it takes no think time",
            section.name
        ));
    }
    Ok(())
}

/// Why no arrivals can be set.
pub(super) fn check_arrivals(workload: &Workload) -> Result<(), Dropped> {
    if workload.section.alone {
        return Err(Dropped {
            cell: format!("{} with arrivals", workload.name),
            reason: format!(
                "between two turns of `{}` there is nothing, so no arrivals can be set",
                workload.name
            ),
        });
    }
    Ok(())
}

/// An error if a record gives a turn what it does not have.
pub(super) fn check(section: &Section, record: &record::Workload) -> Result<(), Error> {
    if section.alone && (record.section_ns > 0.0 || record.lines > 0 || record.think_ns > 0.0) {
        return Err(Error::usage(format!("a turn of `{}` has no work, lines or think time", section.name)));
    }
    Ok(())
}

impl Workload {
    /// Why so many vCPUs cannot have this workload, or not while holders ask for longer timeslices; none if they can.
    pub(crate) fn refusal(&self, vcpus: u32, extension: SliceExtension) -> Option<String> {
        let name = &self.name;
        if !self.section.alone {
            None
        } else if vcpus > 1 {
            Some(format!(
                "`{name}` checks no mutual exclusion, so it is for one vCPU, and not for {vcpus}; `empty` is for any number"
            ))
        } else if extension == SliceExtension::On {
            Some(format!(
                "`{name}` has no section in which a holder could ask for a longer timeslice; take `empty`"
            ))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axes::Axis;

    #[test]
    fn nothing_is_checked_where_a_vcpu_is_alone_so_several_are_refused() {
        let alone = Workload::parse("alone").unwrap();
        assert_eq!(alone.refusal(1, SliceExtension::Off), None);
        let said = alone.refusal(4, SliceExtension::Off).unwrap();
        assert!(said.contains("for one vCPU, and not for 4"), "{said}");
        assert!(alone.refusal(1, SliceExtension::On).is_some() && alone.with_arrivals(1e6, 1).is_err());
        assert_eq!(Workload::parse("empty").unwrap().refusal(4, SliceExtension::On), None);
    }

    #[test]
    fn a_record_of_a_vcpu_that_is_alone_has_nothing_in_its_turns() {
        let record = Workload::parse("alone").unwrap().record();
        assert!(Workload::of_record(&record).is_ok());
        let think = Workload::parse("short+exp").unwrap().record();
        for wrong in [
            record::Workload { section_ns: 100.0, ..record.clone() },
            record::Workload { lines: 1, ..record.clone() },
            record::Workload { think: think.think, think_ns: think.think_ns, ..record },
        ] {
            assert!(Workload::of_record(&wrong).is_err(), "{wrong:?}");
        }
    }
}
