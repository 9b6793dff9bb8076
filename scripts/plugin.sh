#!/usr/bin/env bash
# Packs the kubectl plugin for this machine's platform as a release publishes it: the archive that .krew.yaml names, with its digest.
#
# scripts/plugin.sh FOLDER    where both go
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:?where to put the archive}
os=$(uname -s | tr '[:upper:]' '[:lower:]')
case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) arch=$(uname -m) ;;
esac
archive=kubectl-kyb-$os-$arch.tar.gz
if ! grep -qF "/$archive\"" .krew.yaml; then
    echo "plugin: .krew.yaml has no platform with $archive; add it there first" >&2
    exit 1
fi

programs=$(scripts/static.sh)
stage=$(mktemp --directory)
trap 'rm -rf "$stage"' EXIT
cp "$programs/kubectl-kyb" LICENSE "$stage"
mkdir -p "$folder"
# The same files make the same archive, whoever packs them when.
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --directory "$stage" . | gzip --no-name >"$folder/$archive"
(cd "$folder" && sha256sum "$archive" | tee "$archive.sha256")
