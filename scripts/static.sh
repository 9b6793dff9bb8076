#!/usr/bin/env bash
# Builds the programs for release, static, as images `FROM scratch` need them, and prints the folder that they are in; with
# `--where` only the latter.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(rustc -vV | sed -n 's/^host: //p')
folder=${KYB_STATIC:-$HOME/.cache/kyb/static}
programs=(--bin kyb-gateway --bin kyb-worker --bin kyb-operator --bin kubectl-kyb --bin kyb --bin kyb-lab)
[[ ${1:-} == --where ]] || RUSTFLAGS='-C target-feature=+crt-static' cargo build --locked --release --workspace "${programs[@]}" \
    --target "$target" --target-dir "$folder" >&2
echo "$folder/$target/release"
