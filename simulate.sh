#!/usr/bin/env bash
# Simulates the whole engine under every kind of fault, each life from a seed:
#   ./simulate.sh --seeds 100000 [--from N]
# The last line is "N seeds, no fault", or names the failing seed; the exit code is then 1.
set -euo pipefail
cd "$(dirname "$0")"

project=tests/Kaiju.Tasks.Simulation
dotnet build "$project" --configuration Release --nologo --verbosity quiet -clp:NoSummary
exec dotnet "$project/bin/Release/net10.0/Kaiju.Tasks.Simulation.dll" "$@"
