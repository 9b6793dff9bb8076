#!/usr/bin/env bash
# Installs the Debian packages that are missing, and checks that Rust is there. Does nothing where nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted_rust=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)

has_postgres() {
    [[ -n ${KYB_POSTGRES_BIN:-} ]] || command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

missing=()
command -v cc >/dev/null || missing+=(build-essential)
has_postgres || missing+=(postgresql)

if ((${#missing[@]})); then
    if ! command -v apt-get >/dev/null; then
        echo "setup: missing: ${missing[*]}. This script installs Debian packages only; install them by your system's means." >&2
        exit 1
    fi
    as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || { echo "setup: missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}" >&2; exit 1; }
        as_root=(sudo)
    fi
    echo "setup: installing ${missing[*]}" >&2
    "${as_root[@]}" apt-get update -q >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
fi

if ! command -v cargo >/dev/null; then
    echo "setup: Rust is missing. Install $wanted_rust or later as https://rustup.rs says, then run this again." >&2
    exit 1
fi
found_rust=$(cargo --version | cut -d' ' -f2)
oldest=$(printf '%s\n%s\n' "$wanted_rust" "$found_rust" | sort --version-sort | head -n 1)
if [[ $oldest != "$wanted_rust" ]]; then
    echo "setup: Rust is $found_rust, but $wanted_rust or later is needed: rustup update stable" >&2
    exit 1
fi
