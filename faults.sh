#!/usr/bin/env bash
# Harms real processes on one database (kills, freezes, cuts off, locks out and restarts them, and replaces them by
# another version), and then checks the guarantees:
#   ./faults.sh [--seconds N] [--seed S] [--store sqlite|postgres]
#               [--scenario kill|freeze|postmaster|terminate|readonly|outage|restart|held|deploy|cut]
#               [--before REV|schema]    some of the processes are built from another commit; "schema" is the last one
#                                        before the newest migration
# The last line has the seed and the number of faults; the exit code is 1 if there were any.
set -euo pipefail
cd "$(dirname "$0")"

project=tests/Kaiju.Tasks.Faults
program=bin/Release/net10.0/Kaiju.Tasks.Faults.dll

build() { dotnet build "$1" --configuration Release --nologo --verbosity quiet -clp:NoSummary; }

# The commit for --before: a commit, or "schema".
commit() {
    [ "$1" = schema ] || { echo "$1"; return; }
    git log -1 --diff-filter=A --format=%H^ -- src/Kaiju.Tasks.PostgreSql/Migrations
}

arguments=()
folder=
trap '[ -z "$folder" ] || { git worktree remove --force "$folder/tree"; rm -rf "$folder"; }' EXIT
while [ "$#" -gt 0 ]; do
    if [ "$1" = --before ]; then
        folder=$(mktemp -d)
        git worktree add --quiet --detach "$folder/tree" "$(commit "${2:?a commit, or schema}")"
        build "$folder/tree/$project"
        arguments+=(--before "$folder/tree/$project/$program")
        shift
    else
        arguments+=("$1")
    fi

    shift
done

build "$project"
dotnet "$project/$program" ${arguments[@]+"${arguments[@]}"}
