{{- /*
Names are fixed: the operator's program knows its Lease and the ClusterRoles that it binds by name, and one cluster has one operator.
*/ -}}
{{- define "kyb-operator.selector" -}}
app.kubernetes.io/name: kyb-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* `managed-by` must not read kyb-operator: by that the operator tells what it made itself. */ -}}
{{- define "kyb-operator.labels" -}}
{{ include "kyb-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kyb
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "kyb-operator.image" -}}
{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "kyb-operator.root-key" -}}
{{ .Values.rootKey.existingSecret | default "kyb-root-key" }}
{{- end }}

{{- /* How the API server calls the operator's account. */ -}}
{{- define "kyb-operator.username" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ .Values.serviceAccount.name }}
{{- end }}

{{- /* What the operator does with an object that it makes: server-side apply is `patch`, and `create` where there was none;
`get` after a collision of names; `watch`, which also brings what there is already, so that nothing else need be read. */ -}}
{{- define "kyb-operator.child-verbs" -}}
[get, watch, create, patch, delete]
{{- end }}
