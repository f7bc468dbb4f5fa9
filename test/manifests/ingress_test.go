package manifests

import (
	"os"
	"regexp"
	"strings"
	"testing"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/encoding/protojson"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// ingressBlock returns the first block of a section of docs/ingress-services.md.
func ingressBlock(t *testing.T, section string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../docs/ingress-services.md")
	if err != nil {
		t.Fatal(err)
	}
	_, below, _ := strings.Cut(string(text), "\n## "+section+"\n")
	block := regexp.MustCompile(`(?ms)^~~~yaml not-run\n(.*?)^~~~$`).FindStringSubmatch(below)
	if block == nil {
		t.Fatalf("%s has no block", section)
	}
	return []byte(block[1])
}

// TestEnvoyConfiguration: nobody runs Envoy here, but what the page shows for it has no
// field and no value that Envoy's own messages do not have.
func TestEnvoyConfiguration(t *testing.T) {
	text, err := yaml.YAMLToJSON(ingressBlock(t, "Envoy"))
	if err != nil {
		t.Fatal(err)
	}
	var config bootstrap.Bootstrap
	if err := protojson.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	if err := config.ValidateAll(); err != nil {
		t.Error(err)
	}
	if n := len(config.GetStaticResources().GetListeners()); n != 2 {
		t.Errorf("%d listeners", n)
	}
}

// TestIngress: what the page shows for ingress-nginx is an Ingress to Hookgate's Service.
func TestIngress(t *testing.T) {
	var ingress networking.Ingress
	if err := yaml.UnmarshalStrict(ingressBlock(t, "ingress-nginx"), &ingress); err != nil {
		t.Fatal(err)
	}
	service := component(t).services["hookgate"]
	backend := ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service
	if backend.Name != service.Name {
		t.Errorf("it leads to %s", backend.Name)
	}
	for _, port := range service.Spec.Ports {
		if port.Port == backend.Port.Number || port.Name == backend.Port.Name {
			return
		}
	}
	t.Errorf("%s has no port %+v", service.Name, backend.Port)
}
