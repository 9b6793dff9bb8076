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
}

count() {
    cat "$found/$1/mutants.out/$2.txt" 2>/dev/null | wc -l
}

stage units --shard "$shard" --sharding round-robin --minimum-test-timeout 60 -- --lib

# By their names, with what a regular expression takes for more than a letter.
mapfile -t missed < <(sed 's/[][\.|$(){}?+*^]/\\&/g; s/^/^/; s/$/$/' "$found/units/mutants.out/missed.txt")
servers=0
if ((${#missed[@]})); then
    echo "${#missed[@]} go past the unit tests"
    selected=()
    for name in "${missed[@]}"; do
        selected+=(--re "$name")
    done
    stage servers "${selected[@]}" --minimum-test-timeout 600 --test-package kyb-kit,kyb-operator -- --test real_api_server --test api_server
    servers=$(($(count servers caught) + $(count servers timeout)))
fi

units=$(($(count units caught) + $(count units timeout)))
total=$((units + ${#missed[@]}))
((total)) || { echo "mutants: none in shard $shard" >&2; exit 2; }
percent=$(((units + servers) * 100 / total))
printf '\n%d mutants that compile: %d noticed by unit tests, %d by those with an API server, %d by none: %d %%\n' \
    "$total" "$units" "$servers" $((total - units - servers)) "$percent"
[[ ! -s $found/servers/mutants.out/missed.txt ]] || { echo 'not noticed:'; cat "$found/servers/mutants.out/missed.txt"; }
((percent >= least_percent))
