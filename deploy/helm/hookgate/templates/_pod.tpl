{{/* What Hookgate is in a pod, whose ever that is. ../../../kubernetes/component says why. */}}

{{/* Labels that Service, policies and monitor select. */}}
{{- define "hookgate.podLabels" -}}
{{- if .Values.sidecar -}}
hookgate: sidecar
{{- else -}}
app.kubernetes.io/name: hookgate
app.kubernetes.io/instance: {{ .Values.name }}
{{- end }}
{{- end }}

{{/* Another configuration is another pod: what does not load never becomes ready. */}}
{{- define "hookgate.podAnnotations" -}}
hookgate/configuration: {{ include "hookgate.configuration" . | sha256sum }}
{{- end }}

{{- define "hookgate.address" -}}
{{- .Values.matcher.address | default (.Values.sidecar | ternary "127.0.0.1:4018" "matcher:8080") }}
{{- end }}

{{- define "hookgate.container" -}}
name: hookgate
image: {{ with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}{{ end }}
ports:
  - {name: hooks, containerPort: 8080}
  - {name: status, containerPort: 9090}
  {{- if .Values.matcher.otherRoutes }}
  - {name: other-routes, containerPort: 8082}
  {{- end }}
envFrom:
  - configMapRef: {name: {{ .Values.name }}-settings}
startupProbe:
  httpGet: {path: /healthz, port: status}
  periodSeconds: 1
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /healthz, port: status}
  periodSeconds: 10
  timeoutSeconds: 3
readinessProbe:
  httpGet: {path: /readyz, port: status}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
resources: {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
volumeMounts:
  - {name: hookgate-config, mountPath: /etc/hookgate, readOnly: true}
  - {name: hookgate-secrets, mountPath: /run/secrets/hookgate, readOnly: true}
  - {name: hookgate-state, mountPath: /var/lib/hookgate}
{{- end }}

{{- define "hookgate.volumes" -}}
- name: hookgate-config
  configMap: {name: {{ .Values.name }}}
- name: hookgate-secrets
  secret: {secretName: {{ .Values.secret }}, defaultMode: 0444}
- name: hookgate-state
  emptyDir: {sizeLimit: 16Mi}
{{- end }}

{{/* As a sidecar: what Matcher's container gets. */}}
{{- define "hookgate.matcherEnv" -}}
- name: HOOKGATE_MATCHER
  valueFrom: {configMapKeyRef: {name: {{ .Values.name }}-settings, key: HOOKGATE_MATCHER}}
- {name: SERVER_ADDRESS, value: $(HOOKGATE_MATCHER)}
- {name: HEALTH_PROBE_URL, value: http://$(HOOKGATE_MATCHER)/readyz}
{{- end }}
{{- define "hookgate.matcherLifecycle" -}}
readinessProbe:
  exec: {command: [/health-probe]}
  periodSeconds: 5
  timeoutSeconds: 6
  failureThreshold: 2
lifecycle:
  preStop:
    sleep: {seconds: 22}
{{- end }}
