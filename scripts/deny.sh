#!/usr/bin/env bash
# Runs cargo-deny. The advisories come from a local copy of the RustSec database (the argument) where that folder exists,
# else from the network.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=${1:-}
export KYB_ADVISORY_DBS="${CARGO_TARGET_DIR:-target}/advisory-dbs"
if [[ -z $copy || ! -d $copy/crates ]]; then
    exec cargo deny --locked check --hide-inclusion-graph
fi

# cargo-deny wants a git repository, in a folder whose name it derives from the database's usual address.
database="$KYB_ADVISORY_DBS/advisory-db-3157b0e258782691"
rm -rf "$database"
mkdir -p "$database"
cp -r --no-preserve=mode "$copy/." "$database"
as_nobody=(-c user.name=local -c user.email=local@localhost -c init.defaultBranch=main -c commit.gpgsign=false)
git -C "$database" "${as_nobody[@]}" init --quiet
git -C "$database" add --all --force
git -C "$database" "${as_nobody[@]}" commit --quiet --message 'A copy of the advisory database'
touch "$database/.git/FETCH_HEAD"

echo "advisories: from $copy" >&2
cargo fetch --locked --quiet
exec cargo deny --locked --offline check --hide-inclusion-graph
