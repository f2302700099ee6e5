#!/usr/bin/env bash
# One night: measure, keep, judge, draw. Called by cron, by the systemd timer, or by hand.
#
#   LOCKBENCH          the program                  [lockbench on the PATH]
#   LOCKBENCH_DIR      where everything is kept     [~/lockbench]
#   LOCKBENCH_PROFILE  what is measured             [nightly]
#   LOCKBENCH_HISTORY  a file, or postgres://…      [history.db]; a path is taken from LOCKBENCH_DIR
#   LOCKBENCH_REPORT   where the night's report can be found later, a link or a path [its run directory]
#   LOCKBENCH_KEEP     run directories to keep      [30]; the history keeps every night
#
# Writes night.md (for a mail or a chat), changes.txt and trend.html into LOCKBENCH_DIR. Exit status: 0 nothing is worse,
# 1 something is worse than on earlier nights or a lock failed, 2 the night could not be measured, kept, judged or drawn.
set -u
program=${LOCKBENCH:-lockbench}
dir=${LOCKBENCH_DIR:-$HOME/lockbench}
profile=${LOCKBENCH_PROFILE:-nightly}
history=${LOCKBENCH_HISTORY:-history.db}
report=${LOCKBENCH_REPORT:-}
keep=${LOCKBENCH_KEEP:-30}

# Makes the caller's relative paths absolute, before the script changes its directory.
case $program in /*) ;; */*) program=$PWD/$program ;; esac
mkdir -p "$dir/runs" && cd "$dir" || exit 2
exec 9>.lock
flock -n 9 || { echo "nightly: another one is still running in $dir" >&2; exit 2; }

"$program" suite --profile "$profile" --out runs >suite.log
suite=$?
# Status 1 means that a lock broke, hung or crashed: such a run is kept too.
if [ $suite -gt 1 ]; then cat suite.log; exit 2; fi
run=$(dirname "$(tail -n 1 suite.log)")

added=$("$program" history add "$run" ${report:+--report "$report"} --history "$history") || exit 2
echo "$added"
# A history may hold several machines; the answers of this night are about the one that measured it.
machine=$(printf '%s\n' "$added" | sed -n 's/^.* cells\{0,1\}, machine \([0-9a-f]\{12\}\) (.*$/\1/p')

worst=$suite
# Keeps the worst exit status and goes on: one failed step must not cost the others.
note() { [ "$1" -le "$worst" ] || worst=$1; }
"$program" compare "$run" --history "$history" --markdown >night.md
note $?
[ -s night.md ] || echo "nightly: $run could not be compared" >night.md
cat night.md
"$program" history report --machine "$machine" --history "$history" -o trend.html || note 2
"$program" history show --machine "$machine" --history "$history" >changes.txt
note $?

# Removes old run directories; their names begin with the date, so they sort by age.
find runs -mindepth 1 -maxdepth 1 -type d | sort | head -n -"$keep" | xargs -r -d '\n' rm -rf --

[ "$worst" -le 1 ] || exit 2
exit "$worst"
