//! Where vCPUs run.

use std::fmt;
use std::ops::Deref;

use super::{Axis, Flag, InId};
use crate::Error;
use crate::environments::{ENVIRONMENTS, Environment};
use crate::error::unknown;

/// An environment.
#[derive(Clone, Copy)]
pub struct Env(&'static dyn Environment);

impl Env {
    /// Every environment, in the order in which reports show them.
    pub fn all() -> impl Iterator<Item = Self> {
        ENVIRONMENTS.iter().copied().map(Self)
    }
}

impl Axis for Env {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "envs",
        key: "envs",
        takes: "NAMES",
        unit: "",
        default: "native,emulated",
        help: "Environments: native, emulated, kvm",
        in_id: InId::Part,
        in_0_1: true,
        examples: &["native", "emulated", "kvm"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        let found = Self::all().find(|env| env.name() == text);
        found.ok_or_else(|| unknown("environment", text, Self::all().map(|env| env.0.name())))
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl Deref for Env {
    type Target = dyn Environment;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl PartialEq for Env {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_help_names_every_environment() {
        for env in Env::all() {
            assert!(Env::FLAGS[0].help.contains(env.name()), "{} is not told of", env.name());
        }
        assert!(Env::parse("nativ").unwrap_err().to_string().contains("did you mean `native`"));
    }
}
