#!/usr/bin/env bash
# Restores, builds and tests everything. The last line sums up all test projects: N passed, N failed, N skipped.
# The tests start PostgreSQL and PgBouncer themselves; if these are missing, the distribution's packages are installed.
# KAIJU_TEST_POSTGRES names another server instead: a connection string with the right to create databases.
set -uo pipefail
cd "$(dirname "$0")"

fail() { echo "$1" >&2; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
has() { PATH="$PATH:/usr/sbin:$(printf '%s:' /usr/lib/postgresql/*/bin)" command -v "$1" > /dev/null; }

packages=()
if [ -z "${KAIJU_TEST_POSTGRES:-}" ]; then has postgres && has initdb || packages+=(postgresql); fi
has pgbouncer || packages+=(pgbouncer)
if [ "${#packages[@]}" -gt 0 ]; then
    echo "== installing ${packages[*]}"
    as_root=(); [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    command -v apt-get > /dev/null || fail "The tests need ${packages[*]}; install them, and run this again."
    "${as_root[@]}" apt-get update -qq \
        || fail "The list of packages cannot be read; install ${packages[*]}, and run this again."
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qq -y --no-install-recommends "${packages[@]}" \
        > /dev/null || fail "${packages[*]} cannot be installed."
fi

dotnet build Kaiju.Tasks.sln --nologo -v quiet -clp:NoSummary || fail "The build failed."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet test Kaiju.Tasks.sln --no-build --nologo 2>&1 | tee "$log"
code=${PIPESTATUS[0]}

count() { grep -oE "$1: +[0-9]+" "$log" | awk '{sum += $2} END {print sum + 0}'; }
passed=$(count Passed) failed=$(count Failed) skipped=$(count Skipped)

# A run without tests, or with a failed runner, is not a success, whatever it counted.
if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
if [ "$passed" -eq 0 ]; then failed=$((failed + 1)); fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
