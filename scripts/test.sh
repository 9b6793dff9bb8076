#!/usr/bin/env bash
# Runs all tests, or what the arguments pick (as for `cargo test`), and ends with one line that adds up the results.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT

(($#)) || set -- --workspace

# Static, as images need the programs: so those that are built for the tests run in the tests' regions too, and nothing is built
# twice. A platform has to be named, since macros, which the compiler loads, can't be static.
if [[ $(uname) == Linux ]]; then
    export CARGO_BUILD_TARGET=${CARGO_BUILD_TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
    export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
fi

# An error of a test says what went wrong in words; where it was made is of no use, and hides the words in a long log.
export RUST_LIB_BACKTRACE=${RUST_LIB_BACKTRACE:-0}

status=0
cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$log" || status=$?

# Each test binary ends with `test result: ok. 3 passed; 0 failed; …`.
awk '/^test result: / { passed += $4; failed += $6 } END { printf "\n%d passed, %d failed\n", passed, failed }' "$log"
exit "$status"
