#!/usr/bin/env bash
# Measures the stores of Kaiju.Tasks, their peers and the raw limits in one run, and writes bench/RESULTS.md and
# bench/results.json:
#   ./bench.sh                       everything, about ten minutes
#   ./bench.sh --quick               only the ratios, smaller and once, in a minute, as one line of JSON
#   ./bench.sh micro [filter]        the cost of single parts, by BenchmarkDotNet
#   ./bench.sh one PROBE SUBJECT …   one measurement, three times, such as: one throughput kaiju-postgresql --bulk 12000
#   ./bench.sh --against REV [--pairs N] [PROBE SUBJECT …]
#                                    compares the work tree with a commit in 15 alternating pairs: each figure's
#                                    ratio and its interval
set -euo pipefail
cd "$(dirname "$0")"

project=bench/Kaiju.Tasks.Benchmarks
program=$project/bin/Release/net10.0/Kaiju.Tasks.Benchmarks.dll
dotnet build "$project" --configuration Release --nologo --verbosity quiet -clp:NoSummary
if [ "${1:-}" != --against ]; then
    exec dotnet "$program" "$@"
fi

revision=${2:?a commit, such as HEAD~1}
folder=$(mktemp -d)
trap 'git worktree remove --force "$folder/tree"; rm -rf "$folder"' EXIT
git worktree add --quiet --detach "$folder/tree" "$revision"
dotnet build "$folder/tree/$project" --configuration Release --nologo --verbosity quiet -clp:NoSummary
dotnet "$program" against "$folder/tree/$program" "${@:3}"
