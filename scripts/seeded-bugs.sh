#!/usr/bin/env bash
# Shows that the tests notice bugs: those of operator/seeded, which its README explains, are built into one set of test programs and
# switched on one after another. Fails where fewer than 95 % are caught, or the bugs are too few or too easy to say much.
#
# BUG=name,name               only these; then each of them has to be caught
# KYB_SEEDED_TARGET=folder    where it is built, and where what the tests said is kept
# KYB_SEEDED_SECONDS=number   how long one run of a test may take
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

least_percent=95 least_bugs=30 least_of_a_kind=3 least_beyond_units=10
kinds=("adoption" "condition and generation" "finalizer" "hand-over" "lease" "ordering" "ownership" "prune" "requeue" "stale read")

source scripts/platform.sh
# Not that of the other tests: cargo knows crates of a workspace by where they lie in it, so those with bugs would take the places of
# those without. But most of what is built is the same, and copied.
shared=${CARGO_TARGET_DIR:-$HOME/.cache/kyb/target}
CARGO_TARGET_DIR=$(realpath -m "${KYB_SEEDED_TARGET:-$shared-seeded}")
export CARGO_TARGET_DIR
[[ -d $CARGO_TARGET_DIR || ! -d $shared ]] || cp -a "$shared" "$CARGO_TARGET_DIR"
limit=${KYB_SEEDED_SECONDS:-1200}
logs=$CARGO_TARGET_DIR/seeded-logs
# Beside the clone, since tests look for ../shared from where they are; always of the same name, so that builds are found again.
tree=$(dirname "$PWD")/$(basename "$PWD")-with-bugs
declare -A folder=([kyb-kit]=operator/kit [kyb-operator]=operator [kyb-crds]=crds)
units=("-p kyb-kit --lib" "-p kyb-operator --lib" "-p kyb-crds --lib")

give_up() {
    echo "seeded bugs: $*" >&2
    exit 2
}

# The test program of a package that `--lib` or `--test NAME` means.
program() {
    local package=$1 kind=$2 name=${3:-} source
    if [[ $kind == --lib ]]; then
        source='unittests src/lib\.rs' name=${package//-/_}
    else
        source="tests/$name[./].*"
    fi
    sed -nE "s|^ *Executable $source \((.*/$name-[0-9a-f]+)\)\$|\1|p" "$logs/build.log"
}

# Runs `-p PACKAGE (--lib | --test NAME) [filter…]` with a bug, or with none where its name is empty. What it says is added to a log; how
# it ends stands in `ended`: passed, failed or hangs.
run() {
    local bug=$1 log=$2 test=$3 package program status=0
    local -a target words
    read -ra words <<<"$test"
    package=${words[1]} target=("${words[2]}")
    [[ ${target[0]} == --lib ]] || target+=("${words[3]}")
    program=$(program "$package" "${target[@]}")
    [[ ${words[0]} == -p && -x $program ]] || give_up "no test program for: $test"
    printf '\n=== %s: %s\n' "${bug:-no bug}" "$test" >>"$log"
    (
        cd "$tree/${folder[$package]}"
        exec env KYB_SEEDED="$bug" CARGO_MANIFEST_DIR="$PWD" INSTA_UPDATE=no RUST_LIB_BACKTRACE=0 \
            timeout --kill-after=30 "$limit" "$program" "${words[@]:2+${#target[@]}}"
    ) </dev/null >>"$log" 2>&1 &
    running=$! # waited for, so that who stops this script need not wait for the test
    wait "$running" || status=$?
    running=
    case $status in
        0) ended=passed ;;
        124 | 137) ended=hangs ;;
        125 | 126 | 127) give_up "can't run $program; see $log" ;;
        *) ended=failed ;;
    esac
}

# The tests of a bug, a line each.
tests_of() {
    sed 's/ + /\n/g' <<<"$1"
}

names=() of_kind=() wrong=() tests=()
while IFS=$'\t' read -r name kind what by; do
    [[ -z ${BUG:-} || ,$BUG, == *,$name,* ]] || continue
    names+=("$name") of_kind+=("$kind") wrong+=("$what") tests+=("$by")
done < <(sed 1d operator/seeded/bugs.tsv)
((${#names[@]})) || give_up "there is no bug ${BUG:-}"
IFS=, read -ra asked <<<"${BUG:-}"
((${#asked[@]} == 0 || ${#asked[@]} == ${#names[@]})) || give_up "not all of $BUG are in operator/seeded/bugs.tsv"

take_down() {
    git worktree remove --force "$tree" 2>/dev/null || true
}
trap take_down EXIT
running=
trap '[[ -z $running ]] || kill "$running"; exit 130' INT TERM
take_down # one that a killed run left behind
mkdir -p "$logs"
rm -f "$logs"/*.log
git worktree add --quiet --detach "$tree" HEAD
scripts/seeded-patches.sh "$tree"

mapfile -t targets < <(grep -o -- '--test [a-z_]*' operator/seeded/bugs.tsv | sort -u)
# As all tests are built, with the same features of the same dependencies.
# shellcheck disable=SC2068 # two words each
CARGO_TERM_COLOR=never "$tree/scripts/test.sh" --workspace --no-run --lib ${targets[@]} 2>&1 | tee "$logs/build.log"

mapfile -t chosen < <(printf '%s\n' "${units[@]}"; for each in "${tests[@]}"; do tests_of "$each"; done)
mapfile -t chosen < <(printf '%s\n' "${chosen[@]}" | awk '!seen[$0]++')
echo "without a bug:"
for test in "${chosen[@]}"; do
    log=$logs/no-bug.log began=$SECONDS
    run "" "$log" "$test"
    printf '  %-8s %4d s  %s\n' "$ended" $((SECONDS - began)) "$test"
    [[ $ended == passed ]] || give_up "this has to pass while no bug is switched on; see $log"
    # A filter that fits no test passes, too.
    tail -n 5 "$log" | grep -Eq '^test result: ok\. [1-9]' || give_up "no test is named so: $test"
done

declare -A bugs_of
caught=0 beyond_units=0 missed=()
printf '\n%-40s %-26s %-10s %-8s %s\n' bug kind "unit tests" caught by
for place in "${!names[@]}"; do
    name=${names[place]} kind=${of_kind[place]} log=$logs/${names[place]}.log
    bugs_of[$kind]=$((${bugs_of[$kind]:-0} + 1))
    noticed=
    for test in "${units[@]}"; do
        run "$name" "$log" "$test"
        [[ $ended == passed ]] || noticed=notice
    done
    [[ -n $noticed ]] || beyond_units=$((beyond_units + 1))
    verdict=no by=-
    while read -r test; do
        run "$name" "$log" "$test"
        [[ $ended != passed ]] || continue
        verdict=yes by=$test
        [[ $ended == failed ]] || verdict=hangs
        break
    done < <(tests_of "${tests[place]}")
    if [[ $verdict == no ]]; then
        missed+=("$name: ${wrong[place]}")
    else
        caught=$((caught + 1))
    fi
    printf '%-40s %-26s %-10s %-8s %s\n' "$name" "$kind" "${noticed:--}" "$verdict" "$by"
done

total=${#names[@]}
printf '\n%d of %d caught, %d of all go past every unit test; what the tests said is in %s\n' "$caught" "$total" "$beyond_units" "$logs"
((${#missed[@]} == 0)) || printf 'not caught: %s\n' "${missed[@]}"
if [[ -n ${BUG:-} ]]; then
    ((caught == total))
    exit
fi

status=0
demand() {
    (($1 >= $2)) || { echo "seeded bugs: $1 $3, and not $2" >&2; status=1; }
}
demand $((caught * 100 / total)) "$least_percent" "% are caught"
demand "$total" "$least_bugs" "bugs"
demand "$beyond_units" "$least_beyond_units" "go past every unit test"
for kind in "${kinds[@]}"; do
    demand "${bugs_of[$kind]:-0}" "$least_of_a_kind" "of the kind $kind"
done
exit "$status"
