{{- define "scrapeguard.selectorLabels" -}}
app.kubernetes.io/name: scrapeguard
{{- end }}

{{- define "scrapeguard.labels" -}}
{{ include "scrapeguard.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- /* What the schema cannot say, each in a sentence. */}}
{{- define "scrapeguard.check" -}}
{{- if has .Release.Namespace (list "default" "kube-system") }}
{{- fail (printf "Install scrapeguard in a namespace of its own, not in %s: nothing in its namespace is judged." .Release.Namespace) }}
{{- end }}
{{- if and (eq .Values.mode "audit") (eq .Values.failurePolicy "Fail") }}
{{- fail "failurePolicy Fail goes with mode namespace-opt-in or cluster-wide: in mode audit nothing is to be held back." }}
{{- end }}
{{- if and (eq .Values.certificates.source "existing-secret") (not .Values.certificates.caBundle) }}
{{- fail "certificates.source existing-secret needs certificates.caBundle: the API server believes nobody without it." }}
{{- end }}
{{- end }}

{{- define "scrapeguard.isSelfManaged" -}}
{{- if eq .Values.certificates.source "self-managed" }}true{{ end }}
{{- end }}

{{- /* The Secret that the servers keep up, under the name that their permissions have, or the one that is given. */}}
{{- define "scrapeguard.secretName" -}}
{{- if include "scrapeguard.isSelfManaged" . }}{{ (include "scrapeguard.permissions" . | fromYaml).secretName }}{{ else }}{{ .Values.certificates.secretName }}{{ end }}
{{- end }}

{{- define "scrapeguard.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "scrapeguard.permissions" -}}
{{ .Files.Get "files/permissions.yaml" }}
{{- end }}

{{- define "scrapeguard.subject" -}}
subjects:
- kind: ServiceAccount
  name: scrapeguard
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- /* Puts the second map over the first one, in place, maps field by field; unlike `mergeOverwrite` it takes false, [] and null as said. */}}
{{- define "scrapeguard.overlay" -}}
{{- $below := index . 0 }}
{{- range $key, $value := index . 1 }}
{{- $under := get $below $key }}
{{- if and (kindIs "map" $value) (kindIs "map" $under) }}
{{- include "scrapeguard.overlay" (list $under $value) }}
{{- else }}
{{- $_ := set $below $key $value }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The mode's policy, with the values over it and with what the chart itself knows. */}}
{{- define "scrapeguard.policy" -}}
{{- $policy := .Files.Get (printf "files/policy-%s.yaml" .Values.mode) | fromYaml }}
{{- $spec := $policy.spec }}
{{- include "scrapeguard.overlay" (list $spec (deepCopy .Values.policy)) }}
{{- $excluded := get $spec "excludedNamespaces" | default (list "kube-node-lease") }}
{{- $_ := set $spec "excludedNamespaces" (append $excluded .Release.Namespace | uniq) }}
{{- with .Values.templateKinds }}
{{- $_ := set $spec "templateKinds" (concat (get $spec "templateKinds" | default list) .) }}
{{- end }}
{{- if and .Values.metrics.enabled .Values.metrics.scrapers }}
{{- $expected := dict "capabilities" (list "metrics") "subjects" .Values.metrics.scrapers "reason" "scrapes the metrics of scrapeguard itself" }}
{{- $_ := set $spec "expectedSubjects" (append (get $spec "expectedSubjects" | default list) $expected) }}
{{- end }}
{{- toYaml $policy }}
{{- end }}

{{- /* The generated configurations as this release has them; Fail stands there for the failurePolicy that is chosen. */}}
{{- define "scrapeguard.webhooks" -}}
{{- $root := . }}
{{- $judgedLate := prepend .Values.bootstrapNamespaces "kube-system" | uniq }}
{{- $file := ternary "files/webhooks-namespace-opt-in.yaml" "files/webhooks.yaml" (eq .Values.mode "namespace-opt-in") }}
{{- range $document := .Files.Get $file | splitList "\n---\n" }}
{{- $configuration := fromYaml $document }}
{{- $_ := set $configuration.metadata "labels" (include "scrapeguard.labels" $root | fromYaml) }}
{{- if eq $root.Values.certificates.source "cert-manager" }}
{{- $_ := set $configuration.metadata "annotations" (dict "cert-manager.io/inject-ca-from" (printf "%s/scrapeguard" $root.Release.Namespace)) }}
{{- end }}
{{- range $webhook := $configuration.webhooks }}
{{- $_ := set $webhook.clientConfig.service "namespace" $root.Release.Namespace }}
{{- if eq $root.Values.certificates.source "existing-secret" }}
{{- $_ := set $webhook.clientConfig "caBundle" (b64enc $root.Values.certificates.caBundle) }}
{{- end }}
{{- if eq $webhook.failurePolicy "Fail" }}
{{- $_ := set $webhook "failurePolicy" $root.Values.failurePolicy }}
{{- end }}
{{- $leftOut := first $webhook.namespaceSelector.matchExpressions }}
{{- $_ := set $leftOut "values" (concat (list $root.Release.Namespace) (ternary $judgedLate (list) (has "kube-system" $leftOut.values))) }}
{{- range $condition := $webhook.matchConditions }}
{{- $_ := set $condition "expression" (replace "['kube-system']" (printf "['%s']" (join "', '" $judgedLate)) $condition.expression) }}
{{- end }}
{{- if eq $webhook.name "workloads.validate.scrapeguard.io" }}
{{- range $kind := $root.Values.templateKinds }}
{{- $_ := set $webhook "rules" (append $webhook.rules (dict "apiGroups" (list $kind.group) "apiVersions" (list "*") "resources" (list $kind.resource) "operations" (list "CREATE" "UPDATE") "scope" "Namespaced")) }}
{{- end }}
{{- end }}
{{- end }}
---
{{ toYaml $configuration }}
{{- end }}
{{- end }}
