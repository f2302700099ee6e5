//! How this program was compiled, as far as figures depend on it.

use crate::Refusal;

/// Alignment of loops, in bytes, in builds that used this workspace's `.cargo/config.toml`.
const WANTED_BYTES: u32 = 64;

/// Whether a worker's loop stands alike in every build, whatever was linked before it: how, or why not.
pub(crate) fn loop_alignment() -> Result<String, Refusal> {
    judge(env!("LOCKBENCH_ALIGNS_LOOPS"))
}

/// `told` is the number in the compiler's option, empty where there was none.
fn judge(told: &str) -> Result<String, Refusal> {
    match told.parse::<u32>() {
        Ok(bytes) if bytes >= WANTED_BYTES => Ok(format!("loops are aligned to {bytes} bytes")),
        // On other processors it was not measured whether alignment matters.
        _ if cfg!(not(target_arch = "x86_64")) => Ok("as the compiler chooses".into()),
        _ => Err(format!(
            "loops lie where the linker put them, which alone makes up to 20 % between two builds: compile with \
             RUSTFLAGS='-C llvm-args=-align-loops={WANTED_BYTES}'"
        )
        .into()),
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn a_build_that_lost_the_alignment_says_so_and_how_to_get_it_back() {
        assert_eq!(judge("64").unwrap(), "loops are aligned to 64 bytes");
        for lost in ["", "16", "many"] {
            assert!(judge(lost).unwrap_err().to_string().contains("-align-loops=64"), "{lost}");
        }
    }
}
