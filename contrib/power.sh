#!/usr/bin/env bash
# Power test: how often a duel finds a ticket lock that was made slower on purpose, by a memory fence at every EVERYth
# acquisition; and what it says of an unchanged rebuild (no fence). The cost of a fence depends on the processor: read the
# size of the change from the ratios. Builds in a work tree of its own. Needs a quiet machine: half a minute a duel and
# about four minutes for each of the two at `quick`, besides the builds.
#
# usage: contrib/power.sh [DUELS [DIR [EVERY...]]]      EVERY: 0 for an unchanged rebuild; by default 0 512 256 64 8
#
# With DUELS 0 it runs a duel at `quick` instead, once for each EVERY, and prints all verdicts.
set -eu
cd "$(dirname "$0")/.."
duels=${1:-5} dir=$(mkdir -p "${2:-lockbench-power}" && cd "${2:-lockbench-power}" && pwd)
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- 0 512 256 64 8

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

# Earlier builds of the same commit are used again.
commit=$(git rev-parse --short HEAD)
built() { echo "$dir/$commit-$1"; }

build() { # name, a fence at every so-manieth acquisition or 0
    [ ! -x "$(built "$1")" ] || return 0
    local tree="$dir/tree"
    rm -rf "$tree"
    git worktree prune
    git worktree add -q --detach "$tree" HEAD
    if [ "$2" -gt 0 ]; then
        sed -i "s|        let tickets = self.tickets.take();|&\n        if (tickets.tail as usize >> 1).is_multiple_of($2) {\n            core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);\n        }|" "$tree/locks/src/ticket.rs"
        git -C "$tree" diff --quiet && { echo "power: the ticket lock's source has changed; mend this script" >&2; exit 2; }
    fi
    # One target directory for all builds: only the lock's crates are built again.
    (cd "$tree" && CARGO_TARGET_DIR="$dir/target" cargo build --release --locked -q)
    cp "$dir/target/release/lockbench" "$(built "$1")"
    git worktree remove --force "$tree"
}

# All builds come first: none may run while something is measured.
build base 0
for every; do build "every-$every" "$every"; done

for every; do
    [ "$every" -gt 0 ] && what="a fence at every $every. acquisition" || what="unchanged rebuild"
    if [ "$duels" -eq 0 ]; then
        "$(built base)" duel "$(built base)" "$(built "every-$every")" --profile quick --out "$dir/out" >"$dir/quick-$every.txt" || [ $? -eq 1 ]
        echo "$what, at quick:"
        grep -E '^(worse|better)|judged' "$dir/quick-$every.txt" || true
        continue
    fi
    found=0 others=0 ratios=""
    for ((duel = 0; duel < duels; duel++)); do
        "$(built base)" duel "$(built base)" "$(built "every-$every")" --config "$dir/empty.toml" --out "$dir/out" >"$dir/duel.txt" || [ $? -eq 1 ]
        line=$(grep ' ticket/native/empty/' "$dir/duel.txt")
        ratios="$ratios $(echo "$line" | grep -oE '[0-9.]+ \([0-9.]+ to' | head -n 1 | cut -d ' ' -f 1)"
        case $line in worse*) found=$((found + 1)) ;; esac
        others=$((others + $(grep -E '^(worse|better)' "$dir/duel.txt" | grep -vc ' ticket/native/empty/' || true)))
    done
    echo "$what: ticket called worse in $found of $duels duels, other cells called $others times; ratios:$ratios"
done
