#!/usr/bin/env bash
# Writes one file with everything that the operator needs in a cluster, for `kubectl apply -f`.
# Usage: scripts/install-yaml.sh OUT [further arguments of `helm template` for kyb-operator, such as --set image.registry=…]
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:?usage: scripts/install-yaml.sh OUT [ARGUMENTS OF helm template]}
shift
part=$(mktemp "$out.XXXXXX")
trap 'rm -f "$part"' EXIT
{
    cat <<'EOF'
# The KYB operator. It waits until the root key is there; make it once, and keep a copy:
#   kubectl apply -f install.yaml
#   openssl rand 32 > root.key
#   kubectl -n kyb-system create secret generic kyb-root-key --from-file=key=root.key
---
EOF
    cat kustomize/base/namespace.yaml
    scripts/helm.sh template kyb-crds charts/kyb-crds --namespace kyb-system
    scripts/helm.sh template kyb-operator charts/kyb-operator --namespace kyb-system "$@"
} >"$part"
chmod 0644 "$part"
mv "$part" "$out"
trap - EXIT
