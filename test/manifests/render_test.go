package manifests

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const chartPath = deploy + "/helm/hookgate"

// objects are what Kubernetes gets, by name. A ConfigMap has the name without the hash.
type objects struct {
	deployments map[string]*apps.Deployment
	services    map[string]*core.Service
	policies    map[string]*networking.NetworkPolicy
	budgets     map[string]*policy.PodDisruptionBudget
	configs     map[string]*core.ConfigMap
	monitors    map[string]*monitoring.PodMonitor
	jobs        map[string]*batch.CronJob
}

// decode reads objects of YAML. A field that the API does not have is an error.
func decode(t *testing.T, texts []string) objects {
	t.Helper()
	o := objects{
		map[string]*apps.Deployment{}, map[string]*core.Service{}, map[string]*networking.NetworkPolicy{},
		map[string]*policy.PodDisruptionBudget{}, map[string]*core.ConfigMap{}, map[string]*monitoring.PodMonitor{},
		map[string]*batch.CronJob{},
	}
	for _, text := range texts {
		var head struct {
			APIVersion, Kind string
			Metadata         struct{ Name, Namespace string }
		}
		if err := yaml.Unmarshal([]byte(text), &head); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		name := head.Metadata.Name
		if head.Metadata.Namespace == "" {
			t.Errorf("%s %s has no namespace", head.Kind, name)
		}
		var into any
		switch kind := head.APIVersion + " " + head.Kind; kind {
		case "apps/v1 Deployment":
			into = added(o.deployments, name)
		case "v1 Service":
			into = added(o.services, name)
		case "networking.k8s.io/v1 NetworkPolicy":
			into = added(o.policies, name)
		case "policy/v1 PodDisruptionBudget":
			into = added(o.budgets, name)
		case "v1 ConfigMap":
			into = added(o.configs, unhashed(name))
		case "monitoring.coreos.com/v1 PodMonitor":
			into = added(o.monitors, name)
		case "batch/v1 CronJob":
			into = added(o.jobs, name)
		default:
			t.Errorf("%s %s is not expected: a Secret least of all", kind, name)
			continue
		}
		if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
			t.Errorf("%s %s: %v\n%s", head.Kind, name, err, text)
		}
	}
	return o
}

func added[T any](to map[string]*T, name string) *T {
	to[name] = new(T)
	return to[name]
}

// unhashed is a ConfigMap's name without what kustomize puts after it.
func unhashed(name string) string {
	return regexp.MustCompile(`-[0-9a-z]{10}$`).ReplaceAllString(name, "")
}

// kustomize renders a folder.
func kustomize(t *testing.T, folder string) objects {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return decode(t, texts)
}

func overlay(t *testing.T, name string) objects {
	t.Helper()
	return kustomize(t, filepath.Join(deploy, "kubernetes/overlays", name))
}

// shown returns the YAML blocks of a page by the files that their first lines name.
func shown(t *testing.T, page string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deploy, page))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)```yaml\n# (\\S+)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		files[block[1]] = block[2]
	}
	if len(files) == 0 || len(files) != strings.Count(string(text), "```yaml") {
		t.Fatalf("%s shows %d files", page, len(files))
	}
	return files
}

// component is a Deployment of testdata with what deploy/kubernetes/README.md shows.
func component(t *testing.T, edit ...string) objects {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	to, err := filepath.Abs(filepath.Join(deploy, "kubernetes"))
	if err != nil {
		t.Fatal(err)
	}
	to, err = filepath.Rel(filepath.Join(dir, "hookgate"), to)
	if err != nil {
		t.Fatal(err)
	}
	existing, err := os.ReadFile("testdata/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files := shown(t, "kubernetes/README.md")
	files["matcher/deployment.yaml"] = string(existing)
	files["production/backup.yaml"] = shown(t, "../docs/backup.md")["backup.yaml"] // where it is among the resources
	for file, text := range files {
		text = strings.NewReplacer(append([]string{"../kubernetes", to}, edit...)...).Replace(text)
		if err := os.MkdirAll(filepath.Join(dir, path.Dir(file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return kustomize(t, filepath.Join(dir, "production"))
}

// values reads those of a chart.
func values(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := chartutil.ReadValues([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir(chartPath)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// template is `helm template hookgate --namespace matcher`.
func template(t *testing.T, c *chart.Chart, v map[string]any) (objects, error) {
	t.Helper()
	all, err := chartutil.ToRenderValues(c, v, chartutil.ReleaseOptions{Name: "hookgate", Namespace: "matcher"}, nil)
	if err != nil {
		return objects{}, err
	}
	rendered, err := engine.Render(c, all)
	if err != nil {
		return objects{}, err
	}
	var texts []string
	for name, file := range rendered {
		for text := range strings.SplitSeq(file, "\n---\n") {
			if strings.HasSuffix(name, ".yaml") && strings.TrimSpace(text) != "" {
				texts = append(texts, text)
			}
		}
	}
	return decode(t, texts), nil
}

// ownPods is the chart with the values that deploy/helm/README.md shows, and then others.
func ownPods(t *testing.T, others string) objects {
	t.Helper()
	v := chartutil.MergeTables(values(t, others), values(t, shown(t, "helm/README.md")["values.yaml"]))
	o, err := template(t, load(t), v)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// sidecar is a chart with the Deployment that deploy/helm/README.md shows, and ours as
// its dependency.
func sidecar(t *testing.T, others string) objects {
	t.Helper()
	parent := &chart.Chart{
		Metadata:  &chart.Metadata{APIVersion: "v2", Name: "engine", Version: "1.0.0"},
		Templates: []*chart.File{{Name: "templates/deployment.yaml", Data: []byte(shown(t, "helm/README.md")["templates/deployment.yaml"])}},
	}
	parent.AddDependency(load(t))
	v := chartutil.MergeTables(values(t, others), values(t, "sidecar: true"))
	o, err := template(t, parent, map[string]any{"hookgate": v})
	if err != nil {
		t.Fatal(err)
	}
	return o
}
