#!/usr/bin/env bash
# From a clone to a running region: a cluster, the operator by its charts, the quickstart, and three verifications over HTTP.
#
# Usage: scripts/demo.sh up|down
#
# Makes a region with real pods on this machine (Linux, as root), or uses the cluster that KUBECONFIG names; that has to reach
# the images, in $IMAGES (docker.io/kyb). Can be repeated, also after it was cut short. Static programs are built, unless
# $PROGRAMS names the folder that they are in.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly REGION=us-east-1 TENANT=acme
readonly NAMESPACE=kyb-$REGION
readonly BUSYBOX=docker.io/library/busybox:1.37
readonly PATIENCE=${PATIENCE:-300}
images=${IMAGES:-docker.io/kyb}

work=$(mktemp -d)
forward=
trap '[[ -z $forward ]] || kill "$forward" 2>/dev/null || true; rm -rf "$work"' EXIT

# ---- telling what is done -------------------------------------------------------------------------------------------------------

now() { echo $((${EPOCHREALTIME/[.,]/} / 100000)); } # tenths of a second
seconds() { printf '%d.%d' $(($1 / 10)) $(($1 % 10)); }
begun=$(now)

# step TEXT COMMAND…: runs it, shows what it says only if it fails, and tells how long it took.
step() {
    local text=$1 at
    at=$(now)
    shift
    if ! "$@" >"$work/said" 2>&1; then
        cat "$work/said" >&2
        echo "demo: failed: $text; run it again, or \`make demo-down\` to take everything down" >&2
        exit 1
    fi
    say "$text" "$at"
}

say() {
    local end
    end=$(now)
    printf '%7s s  %s (%s s)\n' "$(seconds $((end - begun)))" "$1" "$(seconds $((end - $2)))"
}

# ---- the cluster ----------------------------------------------------------------------------------------------------------------

in_lab() { [[ -z ${KUBECONFIG:-} ]]; }

if in_lab && ((EUID != 0)); then
    echo 'demo: a cluster on this machine needs root; or name one of yours: KUBECONFIG=… make demo' >&2
    exit 1
fi

build() {
    local at
    at=$(now)
    if in_lab; then scripts/lab-setup.sh; fi
    programs=${PROGRAMS:-$(scripts/static.sh)}
    lab=$programs/kyb-lab
    say 'programs built' "$at"
}

# Which cluster, and by which programs it is asked.
find_cluster() {
    if in_lab; then
        kubeconfig=$("$lab" kubeconfig "$REGION")
        kubectl=$("$lab" tool kubectl)
        HELM=$("$lab" tool helm)
        export HELM
    else
        kubeconfig=$KUBECONFIG
        kubectl=$(type -P kubectl) || { echo 'demo: kubectl is missing: https://kubernetes.io/docs/tasks/tools' >&2; exit 1; }
    fi
}

kubectl() { KUBECONFIG=$kubeconfig "$kubectl" "$@"; }
helm() { KUBECONFIG=$kubeconfig scripts/helm.sh "$@"; }

start_lab() {
    local at
    at=$(now)
    "$lab" up --regions "${REGIONS:-1}" >"$work/said" || exit 1
    say 'Kubernetes runs' "$at"
}

load_images() {
    local archives
    "$lab" images --programs "$programs" --output "$HOME/.cache/kyb/images" >"$work/archives"
    mapfile -t archives <"$work/archives"
    "$lab" load "${archives[@]}" >"$work/new-images"
}

# Pods of an earlier run hold on to the images of that run, since the tag is the same.
replace_old_pods() {
    local place kind_and_name
    grep -q 'kyb-\(operator\|gateway\|worker\)\.tar' "$work/new-images" || return 0
    for place in "kyb-system deployment/kyb-operator" "$NAMESPACE deployment/kyb-gateway" "$NAMESPACE deployment/kyb-worker"; do
        kind_and_name=${place#* }
        if kubectl -n "${place% *}" get "$kind_and_name"; then
            kubectl -n "${place% *}" rollout restart "$kind_and_name"
            kubectl -n "${place% *}" rollout status "$kind_and_name" --timeout="${PATIENCE}s"
        fi
    done
}

# ---- the product ----------------------------------------------------------------------------------------------------------------

install_operator() {
    helm upgrade --install kyb-crds charts/kyb-crds --namespace kyb-system --create-namespace
    helm upgrade --install kyb-operator charts/kyb-operator --namespace kyb-system \
        --set "image.registry=${images%%/*},image.repository=${images#*/}/kyb-operator" --wait --timeout "${PATIENCE}s"
}

serve_list() {
    local image=$BUSYBOX
    in_lab && image=docker.io/lab/tools:1
    sed "s|$BUSYBOX|$image|" examples/quickstart/lists.yaml | kubectl apply -f -
    kubectl -n kyb-lists create configmap ofac --from-file=examples/lists/sdn.csv --from-file=examples/lists/alt.csv \
        --from-file=examples/lists/add.csv --dry-run=client -o yaml | kubectl apply -f -
    kubectl -n kyb-lists rollout status deployment/lists --timeout="${PATIENCE}s"
}

apply_quickstart() {
    kubectl apply -f examples/quickstart/quickstart.yaml
    if [[ $images != docker.io/kyb ]]; then
        kubectl -n "$NAMESPACE" patch "rd/$REGION" --type=merge \
            -p "{\"spec\": {\"image\": {\"registry\": \"${images%%/*}\", \"repository\": \"${images#*/}\"}}}"
    fi
}

# What each of our objects says of itself, one a line: kind, name, Ready, reason and message.
readiness() {
    kubectl get kyb --all-namespaces -o jsonpath='{range .items[*]}{.kind}/{.metadata.name}{" "}{range .status.conditions[?(@.type=="Ready")]}{.status}{" "}{.reason}{": "}{.message}{end}{"\n"}{end}'
}

all_ready() {
    local kind
    for kind in KybTenant RegionDeployment CachePolicy RegionReport; do
        grep -q "^$kind/" <<<"$1" || return 1
    done
    ! grep -qv '^[^ ]* True ' <<<"$1"
}

# Shows every change of what is still missing.
wait_until_ready() {
    local at said shown='' deadline
    at=$(now)
    deadline=$((SECONDS + PATIENCE))
    until said=$(readiness) && all_ready "$said"; do
        if ((SECONDS > deadline)); then
            echo "demo: not ready after $PATIENCE s; look at: KUBECONFIG=$kubeconfig $kubectl get kyb,pods,events -A" >&2
            exit 1
        fi
        diff <(echo "$shown") <(echo "$said") | sed -n 's/^> \(.*\)/             \1/p' | grep -v ' True ' | cut -c1-150 || true
        shown=$said
        sleep 0.5
    done
    say 'everything is ready' "$at"
}

# ---- asking it ------------------------------------------------------------------------------------------------------------------

verify() {
    local url
    kubectl -n "kyb-t-$TENANT" get secret kyb-key-default -o jsonpath='{.data.key}' | base64 --decode >"$work/key"
    if in_lab; then
        # The Service's own address, from within the region's network.
        url=http://$(kubectl -n "$NAMESPACE" get service kyb-gateway -o jsonpath='{.spec.clusterIP}:{.spec.ports[0].port}')
        "$lab" inside "$REGION" "$programs/kyb" demo --at "$url" --key-file "$work/key" --lists examples/lists
    else
        kubectl -n "$NAMESPACE" port-forward service/kyb-gateway :80 >"$work/forward" &
        forward=$!
        until grep -q '^Forwarding from 127' "$work/forward"; do
            kill -0 "$forward" || { echo 'demo: the gateway can not be reached' >&2; exit 1; }
            sleep 0.2
        done
        url=http://$(sed -n 's/^Forwarding from \(127[^ ]*\) .*/\1/p' "$work/forward")
        "$programs/kyb" demo --at "$url" --key-file "$work/key" --lists examples/lists
    fi
}

how_to_go_on() {
    cat <<EOF

The region goes on running. To go on:

  export KUBECONFIG=$kubeconfig
  alias kubectl=$kubectl
  kubectl get kyb -A
  kubectl -n $NAMESPACE port-forward service/kyb-gateway 8080:80 &
  key=\$(kubectl -n kyb-t-$TENANT get secret kyb-key-default -o jsonpath='{.data.key}' | base64 --decode)
  curl -s http://127.0.0.1:8080/v1/verifications -H "X-API-Key: \$key" -H 'Content-Type: application/json' \\
       -d '{"business": {"name": "Rosoboroneksport OAO", "country": "RU"}}'

\`make demo-down\` takes everything down.
EOF
}

up() {
    build
    in_lab && start_lab
    find_cluster
    if in_lab; then
        step 'images loaded' load_images
        step 'pods of older images replaced' replace_old_pods
    fi
    step 'operator installed by its charts' install_operator
    step 'example list served' serve_list
    step 'quickstart applied' apply_quickstart
    wait_until_ready
    kubectl get kyb --all-namespaces
    verify
    printf '%7s s  demo done\n' "$(seconds $(($(now) - begun)))"
    how_to_go_on
}

unprotect() {
    [[ -z $(kubectl get kybtenant "$TENANT" --ignore-not-found -o name) ]] ||
        kubectl patch kybtenant "$TENANT" --type=merge -p '{"spec": {"deletion": {"protected": false}}}'
}

down() {
    if in_lab; then
        lab=$(scripts/static.sh --where)/kyb-lab
        [[ -x $lab ]] || build
        "$lab" down
        return
    fi
    find_cluster
    step 'tenant no longer protected' unprotect
    step 'quickstart deleted' kubectl delete -f examples/quickstart/quickstart.yaml --ignore-not-found --timeout="${PATIENCE}s"
    step 'list server deleted' kubectl delete -f examples/quickstart/lists.yaml --ignore-not-found --timeout="${PATIENCE}s"
    step 'operator uninstalled' helm uninstall kyb-operator kyb-crds --namespace kyb-system --ignore-not-found
    echo 'Definitions and the root key stay, as the charts promise; without them: kubectl delete namespace kyb-system;'
    echo 'kubectl delete crd -l app.kubernetes.io/part-of=kyb'
}

case ${1:-} in
up | down) "$1" ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
