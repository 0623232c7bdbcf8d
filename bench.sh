#!/usr/bin/env bash
# Measures our stores, their peers and the raw limits in one run, and writes bench/RESULTS.md and bench/results.json:
#   ./bench.sh                       everything, about ten minutes
#   ./bench.sh --quick               the ratios alone, smaller and once, in a minute, as one line of JSON
#   ./bench.sh micro [filter]        what single parts cost, by BenchmarkDotNet
#   ./bench.sh one PROBE SUBJECT …   one measurement, three times, such as: one throughput kaiju-postgresql --bulk 12000
set -euo pipefail
cd "$(dirname "$0")"

project=bench/Kaiju.Tasks.Benchmarks
dotnet build "$project" --configuration Release --nologo --verbosity quiet -clp:NoSummary
exec dotnet "$project/bin/Release/net10.0/Kaiju.Tasks.Benchmarks.dll" "$@"
