#!/usr/bin/env bash
# Asks whether the operator's tests notice small changes of its code and of its kit's: each mutant of cargo-mutants (https://mutants.rs)
# meets the unit tests, and what goes past those meets the tests against a real API server. Prints the score, and fails where it is less
# than 80 %.
#
# SHARD=k/n    every n-th mutant, from number k on (0 to n - 1): all of them take days
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

least_percent=80
shard=${SHARD:-0/1}
CARGO_TARGET_DIR=$(realpath -m "${KYB_MUTANTS_TARGET:-$HOME/.cache/kyb/target-mutants}")
export CARGO_TARGET_DIR
found=$CARGO_TARGET_DIR/found-${shard/\//-of-}
# Beside the clone, since tests look for ../shared from where they are; always of the same name, so that builds are found again.
tree=$(dirname "$PWD")/$(basename "$PWD")-with-mutants

take_down() {
    git worktree remove --force "$tree" 2>/dev/null || true
}
trap take_down EXIT
take_down # one that a killed run left behind
git worktree add --quiet --detach "$tree" HEAD
rm -rf "$found"
mkdir -p "$found"

# A stage: which mutants, and which tests. cargo-mutants says by 2 that some were missed, and by 3 that a test hung.
stage() {
    local name=$1 status=0
    shift
    (cd "$tree" && exec cargo mutants --in-place --no-shuffle --colors never --output "$found/$name" "$@") || status=$?
    ((status == 0 || status == 2 || status == 3)) || exit "$status"
    mapfile -t noticed < <(cat "$found/$name/mutants.out/"{caught,timeout}.txt)
    mapfile -t missed <"$found/$name/mutants.out/missed.txt"
}

# The lines of these mutants, as a diff that adds them. Fields of structs are changed whatever `--re` says, but nothing is outside of a
# diff.
lines_of() {
    local file line last=
    printf '%s\n' "$@" | cut -d: -f1,2 | sort -t: -k1,1 -k2,2n -u | while IFS=: read -r file line; do
        [[ $file == "$last" ]] || printf -- '--- a/%s\n+++ b/%s\n' "$file" "$file"
        last=$file
        printf '@@ -%d,0 +%d,1 @@\n+%s\n' $((line - 1)) "$line" "$(sed -n "${line}p" "$tree/$file")"
    done
}

# What nothing has noticed so far meets further tests: those of these whose names begin so.
next_stage() {
    local name=$1 begin=$2 selected=() patterns=() others=() mutant
    shift 2
    for mutant in "${left[@]}"; do
        if [[ $mutant == "$begin"* ]]; then
            selected+=("$mutant")
            # With what a regular expression takes for more than a letter.
            patterns+=(--re "^$(sed 's/[][\.|$(){}?+*^]/\\&/g' <<<"$mutant")\$")
        else
            others+=("$mutant")
        fi
    done
    ((${#selected[@]})) || return 0
    lines_of "${selected[@]}" >"$found/$name.diff"
    stage "$name" "${patterns[@]}" --in-diff "$found/$name.diff" --minimum-test-timeout 600 "$@" -- -- -Z unstable-options --fail-fast
    # Fields of those lines are among them, which the unit tests have noticed.
    mapfile -t missed < <(comm -12 <(printf '%s\n' "${missed[@]}" | sort) <(printf '%s\n' "${selected[@]}" | sort))
    by_servers=$((by_servers + ${#selected[@]} - ${#missed[@]}))
    left=("${others[@]}" "${missed[@]}")
}

# One test that fails is enough. That option of the test harness is unstable, which is told to the tests alone: a compiler that hears it
# may build other code.
host=$(rustc -vV | sed -n 's/^host: //p')
host=${host//-/_}
export "CARGO_TARGET_${host^^}_RUNNER=env RUSTC_BOOTSTRAP=1"

by_units=0 by_servers=0 left=()
# One package at a time, as each mutant is built: what builds only beside another one would seem to be no code at all.
for package in kyb-kit kyb-operator; do
    stage "units-$package" --package "$package" --shard "$shard" --sharding round-robin --minimum-test-timeout 120 --cargo-arg=--lib
    by_units=$((by_units + ${#noticed[@]}))
    left+=("${missed[@]}")
done
echo "${#left[@]} go past the unit tests"
next_stage kit operator/kit/ --package kyb-kit --cargo-arg=--test=real_api_server
next_stage operator operator/ --package kyb-operator --cargo-arg=--test=api_server

total=$((by_units + by_servers + ${#left[@]}))
((total)) || { echo "mutants: none in shard $shard" >&2; exit 2; }
percent=$(((by_units + by_servers) * 100 / total))
printf '\n%d mutants that compile: %d noticed by unit tests, %d by those with an API server, %d by none: %d %%\n' \
    "$total" "$by_units" "$by_servers" ${#left[@]} "$percent"
((${#left[@]} == 0)) || printf 'not noticed: %s\n' "${left[@]}"
((percent >= least_percent))
