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

source scripts/platform.sh
# Of a whole run the tests that take longest go on beside the others.
if [[ -n $platform ]] && (($# == 0)); then
    export "${platform}_RUNNER=$PWD/scripts/beside.sh" BESIDE
fi
(($#)) || set -- --workspace

# A test that fails says what went wrong in words, and where; a stack hides both in a long log, and CI asks for one.
export RUST_BACKTRACE=0 RUST_LIB_BACKTRACE=0

status=0
cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$log" || status=$?

flock "$BESIDE/running" true # those beside have ended then
for started in "$BESIDE"/*.started; do
    [[ -e $started ]] || continue # there are none
    tee --append "$log" <"${started%.started}.log"
    [[ $(cat "${started%.started}.status" 2>/dev/null) == 0 ]] || status=1
done

# Why tests failed, once more, where a long log ends: the last lines of what each printed. A test binary tells
# `---- a_name stdout ----`, what the test printed, and `failures:`.
awk -v most=20 '
    function tell(    from) {
        if (name == "") return
        printf "\n%s\n", name
        for (from = count > most ? count - most : 0; from < count; from++) print lines[from]
        name = ""; count = 0
    }
    /^---- .* stdout ----$/ { tell(); name = $0; next }
    /^failures:$/ { tell() }
    name != "" && NF { lines[count++] = $0 }
' "$log"

# Each test binary ends with `test result: ok. 3 passed; 0 failed; …`.
awk '/^test result: / { passed += $4; failed += $6 } END { printf "\n%d passed, %d failed\n", passed, failed }' "$log"
exit "$status"
