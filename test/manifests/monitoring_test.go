package manifests

import (
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// dashboards is a file of Grafana's that says where dashboards are.
type dashboards struct {
	APIVersion int `yaml:"apiVersion"`
	Providers  []struct {
		Name                  string `yaml:"name"`
		OrgID                 int    `yaml:"orgId"`
		Type                  string `yaml:"type"`
		Folder                string `yaml:"folder"`
		FolderUID             string `yaml:"folderUid"`
		DisableDeletion       bool   `yaml:"disableDeletion"`
		UpdateIntervalSeconds int    `yaml:"updateIntervalSeconds"`
		AllowUIUpdates        bool   `yaml:"allowUiUpdates"`
		Options               struct {
			Path                      string `yaml:"path"`
			FoldersFromFilesStructure bool   `yaml:"foldersFromFilesStructure"`
		} `yaml:"options"`
	} `yaml:"providers"`
}

// datasources is a file of Grafana's that says where data come from.
type datasources struct {
	APIVersion  int  `yaml:"apiVersion"`
	Prune       bool `yaml:"prune"`
	Datasources []struct {
		Name      string `yaml:"name"`
		UID       string `yaml:"uid"`
		Type      string `yaml:"type"`
		Access    string `yaml:"access"`
		URL       string `yaml:"url"`
		IsDefault bool   `yaml:"isDefault"`
		Editable  bool   `yaml:"editable"`
		JSONData  struct {
			TimeInterval string `yaml:"timeInterval"`
			HTTPMethod   string `yaml:"httpMethod"`
		} `yaml:"jsonData"`
	} `yaml:"datasources"`
}

// scraping is what Prometheus' file, which promtool checks, says of where and how often.
type scraping struct {
	Global struct {
		Interval string `yaml:"scrape_interval"`
	} `yaml:"global"`
	Jobs []struct {
		Static []struct {
			Targets []string `yaml:"targets"`
		} `yaml:"static_configs"`
	} `yaml:"scrape_configs"`
}

// provisioned reads every file of a directory of Grafana's provisioning. A word that
// Grafana does not have is an error: it would pass over it.
func provisioned[T any](t *testing.T, directory string) (files []T) {
	t.Helper()
	dir := filepath.Join(deploy, "grafana/provisioning", directory)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)) {
			t.Errorf("Grafana does not read %s", path)
		}
		text, err := os.Open(path)
		if err != nil {
			return err
		}
		defer text.Close()
		decoder := yaml.NewDecoder(text)
		decoder.KnownFields(true)
		files = append(files, *new(T))
		return decoder.Decode(&files[len(files)-1])
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in %s: %v", len(files), dir, err)
	}
	return files
}

// mounted returns what a service finds at a path: a file or directory of the checkout.
func mounted(t *testing.T, s types.ServiceConfig, path string) string {
	t.Helper()
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeBind && v.Target == path {
			return v.Source
		}
	}
	t.Errorf("nothing is mounted at %s of %s", path, s.Name)
	return ""
}

// sameFile fails unless both are the same file or directory.
func sameFile(t *testing.T, got, want string) {
	t.Helper()
	a, err := os.Stat(got)
	if err != nil {
		t.Errorf("%q: %v", got, err)
		return
	}
	if b, err := os.Stat(want); err != nil || !os.SameFile(a, b) {
		t.Errorf("%s is not %s: %v", got, want, err)
	}
}

// reaches fails unless a service has a way to an address, and another one listens there.
func reaches(t *testing.T, project *types.Project, from, address string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	to, found := project.Services[host]
	if err != nil || !found {
		t.Errorf("%s asks %s, which is no service: %v", from, address, err)
		return
	}
	var ports []string
	for _, p := range to.Ports {
		ports = append(ports, strconv.Itoa(int(p.Target)))
	}
	if strings.HasPrefix(to.Image, "prom/prometheus:") && len(to.Command) == 0 {
		ports = append(ports, "9090") // where it listens unless it is told otherwise
	}
	if !slices.Contains(ports, port) {
		t.Errorf("%s asks %s, which listens on %q", from, address, ports)
	}
	for network := range to.Networks {
		if _, shared := project.Services[from].Networks[network]; shared {
			return
		}
	}
	t.Errorf("%s and %s have no network in common", from, host)
}

// TestGrafana: it is given the dashboard, and asks the Prometheus that there is.
func TestGrafana(t *testing.T) {
	project := compose(t)
	grafana := project.Services["grafana"]
	sameFile(t, mounted(t, grafana, "/etc/grafana/provisioning"), filepath.Join(deploy, "grafana/provisioning"))
	all, err := os.ReadDir(filepath.Join(deploy, "grafana/provisioning"))
	if err != nil || len(all) != 2 {
		t.Errorf("there is more than is read here: %v, %v", all, err)
	}
	for _, file := range provisioned[dashboards](t, "dashboards") {
		if file.APIVersion != 1 || len(file.Providers) != 1 {
			t.Fatalf("%+v", file)
		}
		p := file.Providers[0]
		if p.Name == "" || p.Type != "file" {
			t.Errorf("provider %q is of type %q", p.Name, p.Type)
		}
		sameFile(t, mounted(t, grafana, p.Options.Path), filepath.Join(deploy, "grafana/dashboards"))
	}
	scrapes := scraped(t)
	for _, file := range provisioned[datasources](t, "datasources") {
		if file.APIVersion != 1 || len(file.Datasources) != 1 {
			t.Fatalf("%+v", file)
		}
		d := file.Datasources[0]
		at, err := url.Parse(d.URL)
		// The dashboard takes the default among those of the type.
		if err != nil || at.Scheme != "http" || d.Name == "" || d.Type != "prometheus" || d.Access != "proxy" || !d.IsDefault {
			t.Fatalf("%+v, %v", d, err)
		}
		reaches(t, project, "grafana", at.Host)
		if d.JSONData.TimeInterval != scrapes.Global.Interval {
			t.Errorf("Grafana takes Prometheus to ask every %s, it does every %s", d.JSONData.TimeInterval, scrapes.Global.Interval)
		}
	}
}

// scraped reads Prometheus' file.
func scraped(t *testing.T) (s scraping) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deploy, "prometheus/prometheus.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPrometheus: it is given its configuration, and asks where Hookgate says how it is.
func TestPrometheus(t *testing.T) {
	project := compose(t)
	sameFile(t, mounted(t, project.Services["prometheus"], "/etc/prometheus"), filepath.Join(deploy, "prometheus"))
	config, err := os.ReadFile(filepath.Join(deploy, "docker/Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, job := range scraped(t).Jobs {
		for _, static := range job.Static {
			for _, target := range static.Targets {
				asked++
				reaches(t, project, "prometheus", target)
				_, port, _ := net.SplitHostPort(target)
				if !strings.Contains(string(config), "\nhttp://:"+port+" {\n\thookgate_status\n}") {
					t.Errorf("hookgate_status does not listen on %s", port)
				}
			}
		}
	}
	if asked != 1 {
		t.Errorf("it asks at %d addresses", asked)
	}
}
