#!/usr/bin/env bash
# Real processes on one database, killed, frozen, cut off, kept from writing, held up and restarted at will, and then
# the checks:
#   ./faults.sh [--seconds N] [--seed S] [--store sqlite|postgres]
#               [--scenario kill|freeze|postmaster|terminate|readonly|outage|restart|held|cut]
# The last line names the seed, and how many faults were found; then the exit code is 1.
set -euo pipefail
cd "$(dirname "$0")"

project=tests/Kaiju.Tasks.Faults
dotnet build "$project" --configuration Release --nologo --verbosity quiet -clp:NoSummary
exec dotnet "$project/bin/Release/net10.0/Kaiju.Tasks.Faults.dll" "$@"
