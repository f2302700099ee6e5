//! Of which workloads no times are taken.

use super::Workload;
use crate::Error;

impl Workload {
    /// An error if times cannot be taken, because there are several locks, for handovers, waits and the account of a lock's time are
    /// those of one, or because a vCPU does nothing in between.
    pub(crate) fn check_times(&self) -> Result<(), Error> {
        if self.section.alone {
            return Err(Error::usage(format!(
                "`{}` does nothing but acquire and release, and windows of acquire times and of traces take times in between: leave \
                 `latency` and `trace` out, or take `empty`",
                self.name
            )));
        }
        if self.locks == 1 {
            return Ok(());
        }
        Err(Error::usage(format!(
            "`{}` takes several locks, and windows of acquire times and of traces tell of one: leave `latency` and `trace` out",
            self.name
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axes::Axis;

    #[test]
    fn no_times_are_taken_of_several_locks_and_of_turns_without_a_section() {
        for name in ["nested", "many:16"] {
            let told = Workload::parse(name).unwrap().check_times().unwrap_err().to_string();
            assert!(told.starts_with(&format!("`{name}` takes several locks")), "{told}");
        }
        let told = Workload::parse("alone").unwrap().check_times().unwrap_err().to_string();
        assert!(told.starts_with("`alone` does nothing but acquire and release"), "{told}");
        assert!(Workload::parse("short").unwrap().check_times().is_ok());
    }
}
