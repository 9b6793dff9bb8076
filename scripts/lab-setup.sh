#!/usr/bin/env bash
# Installs the Debian packages that a lab's regions need, and checks that Go is there. Does nothing where nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t wanted < <(sed 's/#.*//; /^[[:space:]]*$/d' e2e/lab/packages.txt)
missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
    if ((EUID != 0)); then
        echo "lab-setup: missing: ${missing[*]}. A lab needs root; install them as root and run it as root." >&2
        exit 1
    fi
    echo "lab-setup: installing ${missing[*]}" >&2
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
fi
if ! command -v go >/dev/null; then
    echo "lab-setup: Go is missing, which Kubernetes is built with; install it as https://go.dev/doc/install says." >&2
    exit 1
fi
