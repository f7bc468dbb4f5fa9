package manifests

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestMatcherBesideHookgate: Matcher listens on loopback where Hookgate sends to, is
// asked there whether it is ready, and has no other port or probe.
func TestMatcherBesideHookgate(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		if !f.beside {
			return
		}
		matcher := f.container(t, "matcher")
		env := f.environment(matcher)
		listens := env["SERVER_ADDRESS"]
		if i := slices.Index(matcher.Args, "--listen"); i >= 0 { // the stand-in
			listens = expand(matcher.Args[i+1], env)
		} else if p := matcher.ReadinessProbe; p == nil || p.HTTPGet != nil || !slices.Equal(p.Exec.Command, []string{"/health-probe"}) ||
			p.TimeoutSeconds <= 5 || env["HEALTH_PROBE_URL"] != "http://"+listens+"/readyz" {
			t.Errorf("Matcher is asked by %+v at %q", p, env["HEALTH_PROBE_URL"])
		}
		if len(matcher.Ports) != 0 || matcher.LivenessProbe != nil || matcher.StartupProbe != nil {
			t.Errorf("Matcher has ports: %+v, or probes over the network", matcher.Ports)
		}
		sends := 0
		for _, routes := range f.listeners(t) {
			sends += strings.Count(routes, `"`+listens+`"`) + strings.Count(routes, `"http://`+listens+`"`)
		}
		// The guard's, the connections, and the other routes where there are any.
		if !strings.HasPrefix(listens, "127.0.0.1:") || sends != len(f.container(t, "hookgate").Ports) {
			t.Errorf("Matcher listens on %q, which Hookgate has %d times", listens, sends)
		}
		ours := map[string]bool{"8080": true, "8081": true, "8082": true, "9090": true}
		if _, port, _ := strings.Cut(listens, ":"); ours[port] {
			t.Errorf("Hookgate listens on %s, too", port)
		}
	})
}

// TestMatcherAddress: it is one setting.
func TestMatcherAddress(t *testing.T) {
	o := component(t, "HOOKGATE_MATCHER_VERSION=2", "HOOKGATE_MATCHER=127.0.0.1:9000")
	f := form{objects: o, pod: o.deployments["matcher"]}
	if env := o.environment(f.container(t, "matcher")); env["SERVER_ADDRESS"] != "127.0.0.1:9000" || env["HEALTH_PROBE_URL"] != "http://127.0.0.1:9000/readyz" {
		t.Errorf("Matcher gets %v", env)
	}
	if l := f.listeners(t); !strings.Contains(l[":8080"], `"127.0.0.1:9000"`) || !strings.Contains(l["127.0.0.1:8081"], `"http://127.0.0.1:9000"`) {
		t.Errorf("Hookgate sends to %v", l)
	}
}

// TestComponentLeavesTheRest: a Deployment keeps what it has, and one without the label
// is as it was.
func TestComponentLeavesTheRest(t *testing.T) {
	text, err := os.ReadFile("testdata/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]*apps.Deployment{}
	for part := range strings.SplitSeq(string(text), "\n---\n") {
		d := new(apps.Deployment)
		if err := yaml.UnmarshalStrict([]byte(part), d); err != nil {
			t.Fatal(err)
		}
		before[d.Name] = d
	}
	o := component(t)
	if !reflect.DeepEqual(o.deployments["ui"].Spec, before["ui"].Spec) {
		t.Errorf("another Deployment is now %+v", o.deployments["ui"].Spec)
	}
	was, is := before["matcher"].Spec, o.deployments["matcher"].Spec
	if !reflect.DeepEqual(is.Selector, was.Selector) || *is.Replicas != *was.Replicas ||
		is.Template.Spec.ServiceAccountName != was.Template.Spec.ServiceAccountName || is.Template.Spec.SecurityContext != nil ||
		is.Template.Labels["app"] != "matcher" || len(is.Template.Spec.Containers) != len(was.Template.Spec.Containers)+1 {
		t.Errorf("the Deployment is now %+v", is)
	}
	old, now := container(t, before["matcher"], "matcher"), container(t, o.deployments["matcher"], "matcher")
	if now.Image != old.Image || !reflect.DeepEqual(now.EnvFrom, old.EnvFrom) || !slices.Contains(now.Env, core.EnvVar{Name: "LOG_LEVEL", Value: "info"}) {
		t.Errorf("Matcher is now %+v", now)
	}
	if agent := container(t, o.deployments["matcher"], "agent"); !reflect.DeepEqual(agent, container(t, before["matcher"], "agent")) {
		t.Errorf("the other container is now %+v", agent)
	}
}

// TestProduction: losing a node or a zone, or the drain of one, leaves pods that serve.
func TestProduction(t *testing.T) {
	for name, f := range map[string]form{
		"prod":  {objects: overlay(t, "prod"), beside: true},
		"chart": {objects: ownPods(t, "image: {digest: \"sha256:"+strings.Repeat("0", 64)+"\"}")},
	} {
		t.Run(name, func(t *testing.T) {
			images, name := []string{"hookgate"}, "hookgate"
			if f.beside {
				images, name = append(images, "matcher"), "matcher"
			}
			f.pod = f.deployments[name]
			if *f.pod.Spec.Replicas < 2 || f.pod.Spec.Strategy.RollingUpdate.MaxUnavailable.IntVal != 0 {
				t.Errorf("%d replicas, %+v", *f.pod.Spec.Replicas, f.pod.Spec.Strategy.RollingUpdate)
			}
			budget := f.budgets[name]
			if budget == nil || budget.Spec.MaxUnavailable.IntVal != 1 {
				t.Fatalf("budget: %+v", budget)
			}
			selects(t, "the budget", *budget.Spec.Selector, f.pod)
			if len(f.pod.Spec.Template.Spec.TopologySpreadConstraints) == 0 {
				t.Error("all pods may be on one node")
			}
			for _, spread := range f.pod.Spec.Template.Spec.TopologySpreadConstraints {
				selects(t, "the spread", *spread.LabelSelector, f.pod)
			}
			for _, image := range images {
				if image := f.container(t, image).Image; !strings.Contains(image, "@sha256:") {
					t.Errorf("%s is not pinned", image)
				}
			}
			if url := f.environment(f.container(t, "hookgate"))["HOOKGATE_REDIS_URL"]; !strings.HasPrefix(url, "rediss://") {
				t.Error("Redis is spoken to without TLS")
			}
		})
	}
}
