#!/usr/bin/env bash
# One night: measure, keep, judge, draw. Called by cron, by the systemd timer, or by hand.
#
#   LOCKBENCH          the program                  [lockbench on the PATH]
#   LOCKBENCH_DIR      where everything is kept     [~/lockbench]
#   LOCKBENCH_PROFILE  what is measured             [nightly]
#   LOCKBENCH_HISTORY  a file, or postgres://…      [$LOCKBENCH_DIR/history.db]
#   LOCKBENCH_KEEP     run directories to keep      [30]; the history keeps every night
#
# Leaves night.md (for a mail or a chat) and trend.html in LOCKBENCH_DIR. Exit status: 0 nothing to see, 1 something is
# worse than on earlier nights or a lock failed, 2 the night could not be measured or kept.
set -u
program=${LOCKBENCH:-lockbench}
dir=${LOCKBENCH_DIR:-$HOME/lockbench}
profile=${LOCKBENCH_PROFILE:-nightly}
history=${LOCKBENCH_HISTORY:-$dir/history.db}
keep=${LOCKBENCH_KEEP:-30}

mkdir -p "$dir/runs" && cd "$dir" || exit 2
exec 9>"$dir/.lock"
flock -n 9 || { echo "nightly: another one is still running in $dir" >&2; exit 2; }

"$program" suite --profile "$profile" --out runs >suite.log
suite=$?
# 1 is a lock that broke, hung or crashed: that, too, is to be kept.
if [ $suite -gt 1 ]; then cat suite.log; exit 2; fi
run=$(dirname "$(tail -n 1 suite.log)")

"$program" history add "$run" --history "$history" || exit 2
"$program" compare "$run" --history "$history" --markdown >night.md
worse=$?
if [ $worse -gt 1 ]; then echo "nightly: nothing to compare with yet" >night.md; worse=0; fi
cat night.md
"$program" history report --history "$history" -o trend.html || exit 2
"$program" history show --history "$history" >changes.txt
stands=$?
[ $stands -le 1 ] || exit 2

# Old run directories go; names begin with the date, so they sort by age.
find runs -mindepth 1 -maxdepth 1 -type d | sort | head -n -"$keep" | xargs -r rm -rf --

[ $suite -eq 0 ] && [ $worse -eq 0 ] && [ $stands -eq 0 ]
