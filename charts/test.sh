#!/usr/bin/env bash
# Checks the charts, what is rendered from them, and the Kustomize overlays, without a cluster. Needs Helm and kubectl.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

helm() { scripts/helm.sh "$@"; }
render() { helm template kyb-operator charts/kyb-operator --namespace kyb-system "$@"; }

# Runs a check; goes on after a failure, so that one run shows all of them.
check() {
    local promise=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        echo "ok    $promise"
    else
        echo "FAIL  $promise"
        sed 's/^/      /' "$work/said"
        failures=$((failures + 1))
    fi
}

not() { ! "$@"; }

# ---- what is generated ----------------------------------------------------------------------------------------------------------

check 'the chart of the definitions is what crds/yaml says' scripts/charts-crds.sh --check
check 'kustomize/base is what the charts render' scripts/kustomize-base.sh --check

# ---- linting and rendering ------------------------------------------------------------------------------------------------------

for chart in kyb-crds kyb-operator; do
    check "$chart satisfies helm lint --strict" helm lint --strict "charts/$chart"
done

full=(--set replicas=3 --set image.registry=registry.example:5000 --set 'image.pullSecrets[0].name=registry'
    --set rootKey.existingSecret=mine --set serviceMonitor.enabled=true --set serviceMonitor.labels.release=prometheus
    --set 'networkPolicy.apiServer.cidrs[0]=10.0.0.0/8' --set nodeSelector.pool=kyb --set operator.logText=true
    --set 'networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.team=monitoring' --set podLabels.team=kyb
    --set serviceAccount.name=other --set userRoles.aggregateToView=true --set global.anything=1)
render >"$work/default.yaml"
render "${full[@]}" >"$work/full.yaml"
render --set replicas=1 --set networkPolicy.enabled=false --set admissionPolicies.confinement=false \
    --set admissionPolicies.deletionProtection=false --set userRoles.create=false >"$work/least.yaml"

confined=(--set rbac.scope=namespaces --set 'rbac.namespaces={kyb-us-east-1,kyb-t-acme}')
render "${confined[@]}" >"$work/confined.yaml"

same_twice() { diff <(render) <(render); }
check 'two renderings are the same' same_twice

# Every manifest is read, and merged as a whole, by a tool that others wrote.
readable() {
    local folder=$work/readable-$(basename "$1" .yaml)
    mkdir -p "$folder"
    cp "$1" "$folder/all.yaml"
    printf 'resources: [all.yaml]\n' >"$folder/kustomization.yaml"
    kubectl kustomize "$folder" >/dev/null
}
for values in default full least confined; do
    check "what the values '$values' render is readable, and no object is there twice" readable "$work/$values.yaml"
done

says() { grep -qF -- "$2" "$1" || { echo "not in $1: $2"; return 1; }; }
check 'the account that the admission policies confine is the one that is made' \
    says "$work/full.yaml" "request.userInfo.username == 'system:serviceaccount:kyb-system:other'"
check 'a Secret of one'"'"'s own is mounted' says "$work/full.yaml" 'secretName: mine'
check 'the ServiceMonitor is there when asked for' says "$work/full.yaml" 'kind: ServiceMonitor'
check 'and not otherwise' not says "$work/default.yaml" 'kind: ServiceMonitor'
check 'the program is held to the namespaces that its roles are in' says "$work/confined.yaml" '--namespaces=kyb-us-east-1,kyb-t-acme'
check 'and to none otherwise' not says "$work/default.yaml" '--namespaces'
check 'a single replica has no disruption budget' not says "$work/least.yaml" 'kind: PodDisruptionBudget'
# Otherwise whoever renders without a cluster would replace the root key each time.
check 'no root key is made where nobody can see whether there is one' not says "$work/default.yaml" 'kind: Secret'

keeps() { helm template kyb-crds charts/kyb-crds "$@" | grep -c 'helm.sh/resource-policy: keep'; }
all_kept() { [[ $(keeps) == $(find crds/yaml -name '*.yaml' | wc -l) ]]; }
check 'every definition outlives its chart' all_kept
check 'unless that is switched off' not keeps --set keep=false

# ---- refusals -------------------------------------------------------------------------------------------------------------------

refuses() {
    local expected=$1
    shift
    if render "$@" >"$work/refused" 2>&1; then
        echo 'it was accepted'
        return 1
    fi
    says "$work/refused" "$expected"
}
while IFS='|' read -r expected argument; do
    check "the value $argument is refused" refuses "$expected" --set "$argument"
done <<'EOF'
replica|replica=3
/replicas|replicas=0
/replicas|replicas=two
/image/pullPolicy|image.pullPolicy=Sometimes
/image/registry|image.registry=https://registry.example
/image/tag|image.tag=not a tag
/operator/concurrency|operator.concurrency=0
/operator/leaseSeconds|operator.leaseSeconds=5
/networkPolicy/apiServer/ports|networkPolicy.apiServer.ports[0]=70000
/networkPolicy/apiServer/cidrs|networkPolicy.apiServer.cidrs[0]=everywhere
/rootKey/existingSecret|rootKey.existingSecret=Not_A_Name
/resources/limits/memory|resources.limits.memory=plenty
/serviceMonitor/interval|serviceMonitor.interval=often
/admissionPolicies/confinement|admissionPolicies.confinement=maybe
/rbac/scope|rbac.scope=everywhere
/rbac/namespaces|rbac.scope=namespaces
/rbac/namespaces|rbac.namespaces={kyb-us-east-1}
/rbac/namespaces|rbac.scope=namespaces,rbac.namespaces={Kyb}
/rbac/namespaces|rbac.scope=namespaces,rbac.namespaces={kube-system}
EOF

# ---- rights ---------------------------------------------------------------------------------------------------------------------

# Prints what no role of ours may hold, from manifests on standard input.
forbidden_rights() {
    awk '
        /^---/ { kind = name = "" }
        /^kind: / { kind = $2 }
        /^  name: / && name == "" { name = $2 }
        kind !~ /^(Cluster)?Role$/ || /^ *#/ { next }
        /\*/ { print kind "/" name ": a wildcard: " $0 }
        /escalate|impersonate/ { print kind "/" name ": " $0 }
        /serviceaccounts\/token|nodes|certificatesigningrequests|webhookconfigurations/ { print kind "/" name ": " $0 }
        # Rules are written with their verbs after their resources.
        /resources:/ { resources = $0 }
        /verbs:/ && /bind/ { bind = 1; next }
        bind { if ($1 != "resourceNames:") print kind "/" name ": bind without names"; bind = 0 }
        /resources:.*secrets/ && (name == "kyb-operator" || name == "kyb-settings-reader" || name == "kyb-report-writer" ||
            name == "kyb-tenant-service-account" || name == "kyb-tenant-guest" || name == "kyb-tenant-auditor" ||
            name == "kyb-viewer" || name == "kyb-editor") { print kind "/" name ": Secrets" }
    '
}
no_forbidden_rights() { [[ -z $(forbidden_rights <"$1" | tee /dev/stderr) ]]; }
for values in default full least confined; do
    check "no role of '$values' has a wildcard, escalates, impersonates, binds without names, or sees Secrets by mistake" \
        no_forbidden_rights "$work/$values.yaml"
done
# The twin: each safeguard taken out of the manifests is noticed.
while IFS='|' read -r what change; do
    sed -E "$change" "$work/default.yaml" >"$work/twin.yaml"
    check "the check above notices $what" not no_forbidden_rights "$work/twin.yaml"
done <<'EOF'
a wildcard verb|s/verbs: \[list, watch\]/verbs: ["*"]/
a wildcard resource|s/resources: \[jobs\]/resources: ["*"]/
escalation|s/verbs: \[bind\]/verbs: [bind, escalate]/
impersonation|s/verbs: \[create, patch\]/verbs: [impersonate]/
a bind without names|s/^    resourceNames:$/    nonResourceURLs:/
Secrets in the whole cluster|s/resources: \[configmaps, /resources: [secrets, configmaps, /
EOF

# What is bound in the whole cluster: the operator's own role, and no other.
bound_everywhere() {
    awk '/^---/ { kind = role = "" } /^kind: / { kind = $2 } /^roleRef:/ { role = 1 }
         role && /^  name: / { if (kind == "ClusterRoleBinding") print $2; role = "" }' "$1"
}
only_its_own() { [[ $(bound_everywhere "$1") == kyb-operator ]]; }
for values in default confined; do
    check "only the role kyb-operator is bound in the whole cluster with '$values'" only_its_own "$work/$values.yaml"
done

# The rules of the ClusterRole kyb-operator, as resources and verbs.
cluster_rules() {
    awk '/^---/ { kind = name = "" } /^kind: / { kind = $2 } /^  name: / && name == "" { name = $2 }
         kind == "ClusterRole" && name == "kyb-operator" && /^    (resources|verbs|resourceNames):/ { print }' "$1"
}
nothing_with_a_namespace() {
    diff <(cluster_rules "$work/confined.yaml") - <<'RULES'
    resources: [kybtenants]
    verbs: [list, watch]
    resources: [kybtenants]
    verbs: [patch]
    resources: [kybtenants/status]
    verbs: [patch]
    resources: [kybtenants/finalizers]
    verbs: [update]
    resources: [namespaces]
    verbs: [watch]
    resourceNames: ["kyb-us-east-1","kyb-t-acme"]
RULES
}
check 'held to namespaces, the operator may do nothing in the whole cluster but with tenants, and see these namespaces' nothing_with_a_namespace
its_roles() { awk '/^---/ { kind = name = "" } /^kind: / { kind = $2 } /^  name: / && name == "" { name = $2 } kind == "Role" && /^  namespace: / { print name, $2 }' "$work/confined.yaml" | sort | xargs; }
a_role_in_each() { [[ $(its_roles) == 'kyb-operator kyb-t-acme kyb-operator kyb-us-east-1 kyb-operator-events default kyb-operator-lease kyb-system' ]]; }
check 'and has a role in each of them' a_role_in_each

cluster_roles() { awk '/^---/ { kind = "" } /^kind: / { kind = $2 } /^  name: / && kind == "ClusterRole" { print $2; kind = "" }' "$work/default.yaml"; }
may_bind() { awk '/verbs: \[bind\]/ { found = 1; next } found && /^      - / { print $2; next } found && !/resourceNames:/ { exit }' "$work/default.yaml"; }
# The names that the operator's program knows.
program_binds() {
    sed -n 's/^pub const [A-Z_]*: &str = "\(kyb-[a-z-]*\)";$/\1/p' operator/src/roles.rs
    sed -n '/OPERATOR_SECRETS_ROLE/s/.*"\(.*\)".*/\1/p; s/.*=> "\(kyb-tenant-[a-z-]*\)",$/\1/p' crds/src/names.rs
}
binds_what_the_program_binds() { diff <(program_binds | sort) <(may_bind | sort); }
check 'the operator may bind the roles that its program binds, and no others' binds_what_the_program_binds
all_exist() { [[ -z $(comm -23 <(program_binds | sort) <(cluster_roles | sort) | tee /dev/stderr) ]]; }
check 'each role that its program binds is installed' all_exist

# The kinds that the program follows in the whole cluster, as resources.
program_follows() {
    sed -n '/^pub(crate) fn child_kinds/,/^}/s/.*erase::<\([A-Za-z]*\)>.*/\1/p' operator/src/watches.rs | tr '[:upper:]' '[:lower:]' |
        sed -E 's/y$/ies/; t; s/$/s/'
}
follows_what_it_may() {
    local resource missing=0
    [[ -n $(program_follows) ]] || return 1
    for resource in $(program_follows); do
        awk '/^kind: ClusterRole$/ { ours = 1 } /^---/ { ours = 0 } ours' "$work/default.yaml" |
            grep -A1 -E "resources: \[(.*, )?$resource[],]" | grep -qF 'verbs: [get, watch, create, patch, delete]' ||
            { echo "no rule for $resource"; missing=1; }
    done
    return $missing
}
check 'the operator may follow and apply every kind that its program does' follows_what_it_may

# ---- pods -----------------------------------------------------------------------------------------------------------------------

for line in 'runAsNonRoot: true' 'readOnlyRootFilesystem: true' 'allowPrivilegeEscalation: false' 'drop: [ALL]' \
    'seccompProfile: {type: RuntimeDefault}' 'path: /ready' 'path: /health'; do
    check "the pods say $line" says "$work/least.yaml" "$line"
done

# ---- documentation --------------------------------------------------------------------------------------------------------------

every_value_is_explained() {
    local name missing=0
    for name in $(sed -n 's/^\([a-zA-Z]*\):.*/\1/p' "charts/$1/values.yaml"); do
        grep -qE "^\|.*\`$name[.\`]" "charts/$1/README.md" || { echo "$name is not in the README"; missing=1; }
    done
    return $missing
}
for chart in kyb-crds kyb-operator; do
    check "the README of $chart explains every value" every_value_is_explained "$chart"
done
condition_words() { sed -n '/^words! {/,/^}/s/^        \([A-Z][A-Za-z]*\),$/\1/p' crds/src/conditions.rs; }
every_word_is_explained() {
    local word missing=0
    (($(condition_words | wc -l) > 50)) || return 1
    for word in $(condition_words); do
        grep -qF "\`$word\`" docs/operations.md || { echo "$word is not in docs/operations.md"; missing=1; }
    done
    return $missing
}
check 'docs/operations.md explains every condition and reason' every_word_is_explained

# ---- Kustomize and install.yaml -------------------------------------------------------------------------------------------------

overlay_has() { kubectl kustomize "kustomize/overlays/$1" >"$work/$1.yaml" && says "$work/$1.yaml" "replicas: $2" && says "$work/$1.yaml" "--concurrency=$3"; }
while read -r name replicas concurrency; do
    check "the overlay $name has $replicas replicas, $concurrency at a time" overlay_has "$name" "$replicas" "$concurrency"
    check "no role of the overlay $name has too much" no_forbidden_rights "$work/$name.yaml"
done <<'EOF'
development 1 4
staging 2 8
production 3 16
EOF
installs() { scripts/install-yaml.sh "$work/install.yaml" --set image.registry=registry.example && says "$work/install.yaml" 'registry.example/kyb' && readable "$work/install.yaml"; }
check 'install.yaml is written, and takes values' installs

((failures == 0)) || { echo "$failures checks failed" >&2; exit 1; }
