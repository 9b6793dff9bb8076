#!/usr/bin/env bash
# Runs Helm: $HELM, else the one on the PATH, else the one that the lab has built.
set -euo pipefail

find_helm() {
    if [[ -n ${HELM:-} ]]; then echo "$HELM"; return; fi
    if command -v helm; then return; fi
    compgen -G "$HOME/.cache/kyb/lab/helm*/helm" | head -n 1
}

helm=$(find_helm) || {
    echo "Helm is missing; install it (https://helm.sh/docs/intro/install), name it with HELM=…, or let \`make lab-up\` build it" >&2
    exit 1
}
exec "$helm" "$@"
