#!/usr/bin/env bash
# Restores, builds and tests everything. The last line sums up all test projects: N passed, N failed, N skipped.
set -uo pipefail
cd "$(dirname "$0")"

dotnet build Kaiju.Tasks.sln --nologo -v quiet -clp:NoSummary || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet test Kaiju.Tasks.sln --no-build --nologo 2>&1 | tee "$log"
code=${PIPESTATUS[0]}

count() { grep -oE "$1: +[0-9]+" "$log" | awk '{sum += $2} END {print sum + 0}'; }
passed=$(count Passed) failed=$(count Failed) skipped=$(count Skipped)

# A run in which nothing was tested, or whose runner broke, is no success whatever it counted.
if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
if [ "$passed" -eq 0 ]; then failed=$((failed + 1)); fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
