{{/* The image of all parts. */}}
{{- define "carnet.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* What tells the pods of a part: (list $ "gateway"). */}}
{{- define "carnet.selector" -}}
app.kubernetes.io/name: carnet
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of every object of a part: (list $ "gateway"). */}}
{{- define "carnet.labels" -}}
{{ include "carnet.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end -}}

{{- define "carnet.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "carnet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* The gateway's configuration with its providers. */}}
{{- define "carnet.configuration" -}}
{{- $crd := deepCopy .Values.gateway.kubernetesCRD -}}
{{- $ingress := deepCopy .Values.gateway.ingress.options -}}
{{- with .Values.gateway.namespaces -}}
{{- $_ := set $crd "namespaces" . -}}
{{- $_ := set $ingress "namespaces" . -}}
{{- $_ := set $ingress "disableIngressClassLookup" true -}}
{{- end -}}
{{- $providers := dict "kubernetesCRD" $crd -}}
{{- if .Values.gateway.ingress.enabled -}}
{{- $_ := set $ingress "ingressClass" .Values.gateway.ingress.className -}}
{{- $_ := set $providers "kubernetesIngress" $ingress -}}
{{- end -}}
{{- $own := deepCopy .Values.gateway.configuration -}}
{{- toYaml (mergeOverwrite (dict "providers" $providers) $own) -}}
{{- end -}}

{{/* What the gateway may look at, but for Secrets and what is no namespace's. */}}
{{- define "carnet.rules" -}}
- apiGroups: [traefik.io]
  resources: [ingressroutes, middlewares, serverstransports, tlsoptions, tlsstores, traefikservices]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [services, configmaps]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.gateway.ingress.enabled }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
{{- end }}
{{- end -}}
