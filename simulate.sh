#!/usr/bin/env bash
# Lives of the whole engine, each from a seed, with everything going wrong that can:
#   ./simulate.sh --seeds 100000 [--from N]
# The last line is "N seeds, no fault", or names the seed that fails; then the exit code is 1.
set -euo pipefail
cd "$(dirname "$0")"

project=tests/Kaiju.Tasks.Simulation
dotnet build "$project" --configuration Release --nologo --verbosity quiet -clp:NoSummary
exec dotnet "$project/bin/Release/net10.0/Kaiju.Tasks.Simulation.dll" "$@"
