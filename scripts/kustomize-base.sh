#!/usr/bin/env bash
# Renders both charts into kustomize/base. `--check` changes nothing and fails where the committed files differ.
set -euo pipefail
cd "$(dirname "$0")/.."

base=kustomize/base
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
for chart in kyb-crds kyb-operator; do
    {
        echo "# Rendered from charts/$chart by scripts/kustomize-base.sh; do not edit."
        scripts/helm.sh template "$chart" "charts/$chart" --namespace kyb-system
    } >"$fresh/$chart.yaml"
done

if [[ ${1:-} == --check ]]; then
    for chart in kyb-crds kyb-operator; do
        if ! diff -u "$base/$chart.yaml" "$fresh/$chart.yaml" >&2; then
            echo "$base/$chart.yaml is not what the chart renders; run scripts/kustomize-base.sh and commit" >&2
            exit 1
        fi
    done
    exit 0
fi
cp "$fresh"/*.yaml "$base"
