#!/usr/bin/env bash
# The shop: an API as client and a worker as manager and executor, with PostgreSQL between them. Ends with Ctrl-C.
#   SHOP_DATABASE='Host=localhost;Database=shop;Username=me;Password=…' samples/Shop/run.sh [URL]
# Then, from another terminal:
#   curl -X POST localhost:5080/orders -H 'Content-Type: application/json' \
#       -d '{"id":"42","item":"a kaiju","total":12.50}'
#   curl localhost:5080/orders/42
#   curl -X POST localhost:5080/orders/42/payment -H 'Content-Type: application/json' -d '{"card":"4111111111111111"}'
set -euo pipefail
cd "$(dirname "$0")"

: "${SHOP_DATABASE:?SHOP_DATABASE must be a connection string of a PostgreSQL database that may be written to}"
export SHOP_DATABASE
if [ -z "${SHOP_NO_BUILD:-}" ]; then
    dotnet build Shop.Api --nologo --verbosity quiet -clp:NoSummary
    dotnet build Shop.Worker --nologo --verbosity quiet -clp:NoSummary
fi

configuration=${SHOP_CONFIGURATION:-Debug}
dotnet "Shop.Worker/bin/$configuration/net10.0/Shop.Worker.dll" &
dotnet "Shop.Api/bin/$configuration/net10.0/Shop.Api.dll" --urls "${1:-http://127.0.0.1:5080}" &
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
trap 'exit 0' INT TERM
wait -n
