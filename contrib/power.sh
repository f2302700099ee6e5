#!/usr/bin/env bash
# Power: how often a duel finds a ticket lock that was made slower on purpose, by so many dependent one-cycle
# instructions between taking a ticket and looking at it; and what it says of an unchanged rebuild (0 instructions).
# Builds in a work tree of its own. Needs a quiet machine: about a minute a duel.
#
# usage: contrib/power.sh [DUELS [DIR]]
set -eu
cd "$(dirname "$0")/.."
duels=${1:-5} dir=$(mkdir -p "${2:-lockbench-power}" && cd "${2:-lockbench-power}" && pwd)

cat >"$dir/empty.toml" <<'T'
about = "one vCPU, empty section: what a lock costs uncontended"
rounds = 6
window = "100ms"
noise-floor = false
[[cells]]
locks = ["core"]
envs = ["native"]
workloads = ["empty"]
vcpus = [1]
T

build() { # name, instructions
    local tree="$dir/tree"
    rm -rf "$tree"
    git worktree prune
    git worktree add -q --detach "$tree" HEAD
    if [ "$2" -gt 0 ]; then
        sed -i "s|        let tickets = self.tickets.take();|        let mut tickets = self.tickets.take();\n        let mut number = tickets.tail as usize;\n        // SAFETY: registers only; what is added is taken away again.\n        unsafe { core::arch::asm!(\".rept $2\", \"add {0}, 1\", \".endr\", \"sub {0}, $2\", inout(reg) number, options(nomem, nostack)) };\n        tickets.tail = number as _;|" "$tree/locks/src/ticket.rs"
        git -C "$tree" diff --quiet && { echo "power: the ticket lock's source has changed; mend this script" >&2; exit 2; }
        sed -i '/forbid(unsafe_code)/d; /deny(unsafe_code)/d' "$tree"/locks/src/*.rs
    fi
    # One directory for all: only the lock's crates are built again.
    (cd "$tree" && CARGO_TARGET_DIR="$dir/target" cargo build --release --locked -q)
    cp "$dir/target/release/lockbench" "$dir/$1"
    git worktree remove --force "$tree"
}

build base 0
for instructions in 0 1 2 4 8; do
    build slower $instructions
    found=0 others=0 ratios=""
    for ((duel = 0; duel < duels; duel++)); do
        "$dir/base" duel "$dir/base" "$dir/slower" --config "$dir/empty.toml" --out "$dir/out" >"$dir/duel.txt" || [ $? -eq 1 ]
        line=$(grep ' ticket/native/empty/' "$dir/duel.txt")
        ratios="$ratios $(echo "$line" | grep -oE '[0-9.]+ \([0-9.]+ to' | head -n 1 | cut -d ' ' -f 1)"
        case $line in worse*) found=$((found + 1)) ;; esac
        others=$((others + $(grep -E '^(worse|better)' "$dir/duel.txt" | grep -vc ' ticket/native/empty/' || true)))
    done
    echo "$instructions instructions: ticket called worse in $found of $duels duels, other cells called $others times; ratios:$ratios"
done
