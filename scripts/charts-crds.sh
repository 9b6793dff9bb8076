#!/usr/bin/env bash
# Makes the templates of charts/kyb-crds from crds/yaml. `--check` changes nothing and fails where they differ.
set -euo pipefail
cd "$(dirname "$0")/.."

chart=charts/kyb-crds/templates

# The definition as it is, but for braces, which are Helm's, and labels and annotations, which follow from the values.
template() {
    awk '
        NR == 1 { print "{{- /* Generated from crds/yaml by scripts/charts-crds.sh; do not edit. */ -}}"; if (/^#/) next }
        { gsub(/\{\{/, "{{ \"{{\" }}") }
        { print }
        /^metadata:$/ && !done { print "  {{- include \"kyb-crds.metadata\" . | nindent 2 }}"; done = 1 }
    ' "$1"
}

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
for definition in crds/yaml/*.yaml; do
    template "$definition" >"$fresh/$(basename "$definition")"
done

if [[ ${1:-} == --check ]]; then
    if ! diff -r --exclude='_*' "$fresh" "$chart" >&2; then
        echo "charts/kyb-crds is not what crds/yaml says; run scripts/charts-crds.sh and commit" >&2
        exit 1
    fi
    exit 0
fi
find "$chart" -name '*.yaml' -delete
cp "$fresh"/*.yaml "$chart"
