#!/usr/bin/env bash
# A/A test: measures the same build again and again and compares each run with the one before. Every verdict of better or
# worse is then a false one. Needs a quiet machine for RUNS times the profile's time (twenty `quick` runs: about 20 minutes).
#
# usage: contrib/aa.sh PROGRAM [RUNS [PROFILE [DIR]]]
set -eu
program=${1:?usage: aa.sh PROGRAM [RUNS [PROFILE [DIR]]]}
runs=${2:-20} profile=${3:-quick} dir=${4:-lockbench-aa}

mkdir -p "$dir"
for ((run = $(find "$dir" -name rounds.jsonl | wc -l); run < runs; run++)); do
    echo "aa: run $((run + 1)) of $runs" >&2
    "$program" suite --profile "$profile" --out "$dir" >"$dir/suite.log" || [ $? -eq 1 ]
    sleep 1
done

rows=0 better=0 worse=0 same=0 pairs=0 before=""
count() { grep -c "\"verdict\": \"$1\"" "$dir/compared.json" || true; }
for run in $(find "$dir" -mindepth 1 -maxdepth 1 -type d | sort); do
    if [ -n "$before" ]; then
        "$program" compare "$before" "$run" --json >"$dir/compared.json" || [ $? -eq 1 ]
        b=$(count better) w=$(count worse) s=$(count same) n=$(count not-enough-data)
        echo "$(basename "$run") against $(basename "$before"): $b better, $w worse, $s same, $n not enough data"
        awk '/^ *"cell": / { cell = $0 } /^ *"verdict": "(better|worse)"/ { print cell }' "$dir/compared.json"
        better=$((better + b)) worse=$((worse + w)) same=$((same + s)) rows=$((rows + b + w + s + n)) pairs=$((pairs + 1))
    fi
    before=$run
done
judged=$((better + worse + same))
awk -v p=$pairs -v r=$rows -v j=$judged -v b=$better -v w=$worse 'BEGIN {
    printf "%d pairs, %d rows: %d judged (%.1f %%); %d better and %d worse, wrongly: %.2f %% of the judged\n",
        p, r, j, r ? 100 * j / r : 0, b, w, j ? 100 * (b + w) / j : 0 }'
