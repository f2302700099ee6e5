//! The machine as text.

use super::Machine;

/// Draws a machine as text.
pub fn draw(machine: &Machine) -> String {
    format!("{}\n", machine.source)
}
