#!/usr/bin/env bash
# rustls panics at its first use where two crypto providers are in one program and none was chosen; ours is ring.
set -euo pipefail
cd "$(dirname "$0")/.."

tree=$(cargo tree --locked --workspace --prefix none)
for crate in aws-lc-rs aws-lc-sys openssl-sys native-tls; do
    if grep -q "^$crate v" <<<"$tree"; then
        echo "$crate is in the tree; turn off the feature that brings it:" >&2
        cargo tree --locked --workspace --invert "$crate" >&2
        exit 1
    fi
done
