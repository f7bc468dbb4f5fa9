package main

import (
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// user is nobody's on the machine, and a number: Kubernetes' runAsNonRoot takes no name.
const user = 65532

const state = "/var/lib/hookgate"

// config says how the image is run. It is what the Dockerfile says.
func (b build) config() v1.Config {
	return v1.Config{
		User:         "65532:65532",
		Env:          []string{"HOME=" + state, "XDG_DATA_HOME=" + state, "XDG_CONFIG_HOME=" + state},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "8081/tcp": {}, "9090/tcp": {}},
		Entrypoint:   []string{"/usr/bin/hookgate"},
		Cmd:          []string{"run", "--config", "/etc/hookgate/Caddyfile", "--adapter", "caddyfile"},
		Healthcheck: &v1.HealthConfig{
			Test:     []string{"CMD", "/usr/bin/hookgate", "check", "--server", "http://127.0.0.1:9090"},
			Interval: 10 * time.Second, Timeout: 5 * time.Second, StartPeriod: 10 * time.Second,
		},
		Labels: b.labels(),
	}
}

// labels are the annotations that the image specification names.
func (b build) labels() map[string]string {
	const name = "org.opencontainers.image."
	return map[string]string{
		name + "title":         "Hookgate",
		name + "description":   "Authenticating reverse proxy for inbound webhooks",
		name + "version":       b.version,
		name + "revision":      b.revision,
		name + "created":       b.created.Format(time.RFC3339),
		name + "licenses":      "Apache-2.0",
		name + "source":        "https://github.com/hookgate/hookgate",
		name + "documentation": "https://github.com/hookgate/hookgate/blob/main/docs/install.md",
	}
}
