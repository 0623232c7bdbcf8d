#!/usr/bin/env bash
# Harms real processes on one database (kills, freezes, cuts off, locks out and restarts them, and replaces them by
# another version), and then checks the guarantees:
#   ./faults.sh [--seconds N] [--seed S] [--store sqlite|postgres]
#               [--scenario kill|freeze|postmaster|terminate|readonly|outage|restart|held|deploy|cut]
# The last line has the seed and the number of faults; the exit code is 1 if there were any.
set -euo pipefail
cd "$(dirname "$0")"

project=tests/Kaiju.Tasks.Faults
dotnet build "$project" --configuration Release --nologo --verbosity quiet -clp:NoSummary
exec dotnet "$project/bin/Release/net10.0/Kaiju.Tasks.Faults.dll" "$@"
