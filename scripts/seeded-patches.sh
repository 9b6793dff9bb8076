#!/usr/bin/env bash
# Puts all seeded bugs (operator/seeded) into the tree at a folder. Without one into a copy of the operator that is thrown away: this
# shows that they still fit, and that the tables tell of each.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C # they fit in the order of their names, which another language would change

seeded=$PWD/operator/seeded
into=${1:-}
if [[ -z $into ]]; then
    into=$(mktemp -d)
    trap 'rm -rf "$into"' EXIT
    cp -r operator "$into"
fi

for patch in "$seeded"/support.patch "$seeded"/bugs/*.patch; do
    if ! git -C "$into" apply "$patch"; then
        echo "seeded bugs: ${patch##*/} no longer fits; make it anew as operator/seeded/README.md says" >&2
        exit 1
    fi
done

patches=$(for patch in "$seeded"/bugs/*.patch; do basename "$patch" .patch; done)
if ! differ=$(diff <(sed 1d "$seeded/bugs.tsv" | cut -f 1) <(echo "$patches")); then
    printf 'seeded bugs: bugs.tsv (<) and bugs/ (>) name different ones:\n%s\n' "$differ" >&2
    exit 1
fi
for name in $patches; do
    if ! grep -Eq "^\+.*seeded::is\(\"$name\"\)" "$seeded/bugs/$name.patch"; then
        echo "seeded bugs: $name.patch has no switch of its own: seeded::is(\"$name\")" >&2
        exit 1
    fi
    if ! grep -q "\`$name\`" "$seeded/README.md"; then
        echo "seeded bugs: $name is not in the README" >&2
        exit 1
    fi
done
