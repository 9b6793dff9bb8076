#!/usr/bin/env bash
# Prints a patch of Argo CD's ConfigMap argocd-cm that holds the health checks and actions of this folder:
#   kubectl patch configmap argocd-cm --namespace argocd --patch-file <(charts/argocd/argocd-cm.sh)
set -euo pipefail
cd "$(dirname "$0")"

# A file as a block scalar, so many spaces to the right; empty lines stay empty.
block() { sed "s/^\(..*\)/$(printf '%*s' "$1" '')\1/" "$2"; }

cat <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
data:
YAML
for folder in */*; do
    key=${folder/\//_}
    echo "  resource.customizations.health.$key: |"
    block 4 "$folder/health.lua"
    [[ -d $folder/actions ]] || continue
    echo "  resource.customizations.actions.$key: |"
    echo '    discovery.lua: |'
    block 6 "$folder/actions/discovery.lua"
    echo '    definitions:'
    for action in "$folder"/actions/*/action.lua; do
        echo "    - name: $(basename "$(dirname "$action")")"
        echo '      action.lua: |'
        block 8 "$action"
    done
done
