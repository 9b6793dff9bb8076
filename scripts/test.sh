#!/usr/bin/env bash
# Runs all tests, or what the arguments pick (as for `cargo test`), and ends with one line that adds up the results.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
BESIDE=$(mktemp --directory)
end() {
    for group in "$BESIDE"/*.group; do
        [[ ! -e $group ]] || kill -- "-$(cat "$group")" 2>/dev/null || true # it may have ended by now
    done
    rm -rf "$log" "$BESIDE"
}
trap end EXIT

# Static, as images need the programs: so those that are built for the tests run in the tests' regions too, and nothing is built
# twice. A platform has to be named, since macros, which the compiler loads, can't be static.
if [[ $(uname) == Linux ]]; then
    export CARGO_BUILD_TARGET=${CARGO_BUILD_TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
    # By the platform's own variable: when RUSTFLAGS changes between this and other runs of cargo, dependencies that look at it are built
    # anew each time, and all that needs them.
    platform=CARGO_TARGET_${CARGO_BUILD_TARGET//-/_}
    platform=${platform^^}
    export "${platform}_RUSTFLAGS=-C target-feature=+crt-static"
    # Of a whole run the tests that take longest go on beside the others.
    if (($# == 0)); then
        export "${platform}_RUNNER=$PWD/scripts/beside.sh" BESIDE
    fi
fi
(($#)) || set -- --workspace

# An error of a test says what went wrong in words; where it was made is of no use, and hides the words in a long log.
export RUST_LIB_BACKTRACE=${RUST_LIB_BACKTRACE:-0}

status=0
cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$log" || status=$?

flock "$BESIDE/running" true # those beside have ended then
for started in "$BESIDE"/*.started; do
    [[ -e $started ]] || continue # there are none
    tee --append "$log" <"${started%.started}.log"
    [[ $(cat "${started%.started}.status" 2>/dev/null) == 0 ]] || status=1
done

# Each test binary ends with `test result: ok. 3 passed; 0 failed; …`.
awk '/^test result: / { passed += $4; failed += $6 } END { printf "\n%d passed, %d failed\n", passed, failed }' "$log"
exit "$status"
