#!/usr/bin/env bash
# Fetches the clients that others wrote for yente and Watchman, by their pinned versions, and runs them against a gateway.
set -euo pipefail
cd "$(dirname "$0")/.."

sources=$PWD/workloads/gateway/tests/clients
export KYB_CLIENTS=${KYB_CLIENTS:-$HOME/.cache/kyb/clients}
mkdir -p "$KYB_CLIENTS"

for program in python3 go; do
    command -v "$program" >/dev/null || { echo "clients: $program is missing; install it first" >&2; exit 1; }
done

# A new environment whenever another version is wanted; one that was not finished has no stamp.
stamp=$KYB_CLIENTS/python/requirements.txt
if ! cmp --silent "$sources/yente/requirements.txt" "$stamp"; then
    echo "clients: installing nomenklatura" >&2
    rm -rf "$KYB_CLIENTS/python"
    python3 -m venv "$KYB_CLIENTS/python" || { echo "clients: needs the Debian package python3-venv" >&2; exit 1; }
    "$KYB_CLIENTS/python/bin/pip" install --quiet --no-deps --requirement "$sources/yente/requirements.txt" || {
        echo "clients: where PyICU has to be built, it needs the Debian packages libicu-dev, pkg-config and python3-dev" >&2
        exit 1
    }
    cp "$sources/yente/requirements.txt" "$stamp"
fi

(cd "$sources/watchman" && go vet . && go test -c -o "$KYB_CLIENTS/watchman.test" .)

scripts/test.sh --workspace --test api clients:: -- --ignored "$@"
