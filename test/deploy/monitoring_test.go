package deploy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	rulesPath     = "deploy/prometheus/hookgate.rules.yml"
	ruleTestsPath = "deploy/prometheus/hookgate.rules_test.yml"
	weekTestsPath = "deploy/prometheus/hookgate.week.rules_test.yml"
	dashboardPath = "deploy/grafana/dashboards/hookgate.json"
)

type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal([]byte(read(t, rulesPath)), &file); err != nil {
		t.Fatal(err)
	}
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) < 20 {
		t.Fatalf("%d rules", len(all))
	}
	return all
}

// TestRules runs the rules against made-up series, of which each says which alerts it
// has to raise, and no others.
func TestRules(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	output(t, promtool, "check", "config", filepath.Join(root, "deploy/prometheus/prometheus.yml"))
	output(t, promtool, "check", "rules", filepath.Join(root, rulesPath))
	output(t, promtool, "test", "rules", filepath.Join(root, ruleTestsPath), filepath.Join(root, weekTestsPath))
}

// TestAlerts: whoever is woken up learns what it is about and what to do.
func TestAlerts(t *testing.T) {
	tests, runbook := read(t, ruleTestsPath)+read(t, weekTestsPath), read(t, "docs/runbook.md")
	const page = "https://github.com/hookgate/hookgate/blob/main/docs/runbook.md#"
	for _, rule := range rules(t) {
		if rule.Alert == "" {
			continue
		}
		if severity := rule.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s: severity %q", rule.Alert, severity)
		}
		if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s has no summary or description", rule.Alert)
		}
		if rule.Annotations["runbook_url"] != page+strings.ToLower(rule.Alert) || !strings.Contains(runbook, "\n### "+rule.Alert+"\n") {
			t.Errorf("%s is not in the runbook at %s", rule.Alert, rule.Annotations["runbook_url"])
		}
		if !strings.Contains(tests, fmt.Sprintf(`ALERTS{alertname=%q,alertstate="firing"`, rule.Alert)) {
			t.Errorf("no test raises %s", rule.Alert)
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^### (Hookgate\w+)$`).FindAllStringSubmatch(runbook, -1) {
		if !slices.ContainsFunc(rules(t), func(r rule) bool { return r.Alert == heading[1] }) {
			t.Errorf("the runbook tells about %s, which is no alert", heading[1])
		}
	}
}

// TestKeyringAlertsFitTheBound: their thresholds are those of the max_staleness that
// is deployed.
func TestKeyringAlertsFitTheBound(t *testing.T) {
	for _, path := range []string{serviceConfigPath, "deploy/docker/Caddyfile", "deploy/kubernetes/component/Caddyfile"} {
		bound := setting(t, read(t, path), "max_staleness ")
		for alert, part := range map[string]float64{"HookgateKeyringAging": 0.5, "HookgateKeyringStale": 1} {
			want := fmt.Sprintf("hookgate_keyring_age_seconds > %v", part*bound.Seconds())
			if !slices.ContainsFunc(rules(t), func(r rule) bool { return r.Alert == alert && r.Expr == want }) {
				t.Errorf("%s: %s is not at %s", path, alert, want)
			}
		}
	}
}

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []struct{ Expr string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	var dashboard struct {
		UID    string
		Panels []panel
	}
	if err := json.Unmarshal([]byte(read(t, dashboardPath)), &dashboard); err != nil {
		t.Fatal(err)
	}
	if dashboard.UID == "" || len(dashboard.Panels) < 20 {
		t.Fatalf("%q has %d panels", dashboard.UID, len(dashboard.Panels))
	}
	return dashboard.Panels
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	ids, taken := map[int]bool{}, map[[2]int]string{}
	var exprs []string
	for _, p := range panels(t) {
		if ids[p.ID] {
			t.Errorf("%s: the id %d is taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s is too wide", p.Title)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other, found := taken[at]; found {
					t.Fatalf("%s lies on %s", p.Title, other)
				}
				taken[at] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d has no title or nothing to show", p.ID)
		}
		for _, target := range p.Targets {
			exprs = append(exprs, strings.NewReplacer("$__rate_interval", "1m", "$job", ".+", "$instance", ".+").Replace(target.Expr))
		}
	}
	// Only as rules does promtool read expressions.
	type record struct{ Record, Expr string }
	list := make([]record, len(exprs))
	for i, expr := range exprs {
		list[i] = record{fmt.Sprintf("panel:%d", i), expr}
	}
	file, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "panels", "rules": list}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "panels.yml")
	write(t, path, string(file), 0o644)
	output(t, tool(t, "promtool"), "check", "rules", path)
}

// TestMetricsExist: nothing watches a metric that is not there, and the dashboard
// shows all of ours.
func TestMetricsExist(t *testing.T) {
	t.Parallel()
	g := startService(t)
	g.serves() // some are there only after they have counted
	metrics := g.want(http.StatusOK, "", http.MethodGet, g.Status+"/metrics", "")
	exposed := map[string]bool{"up": true, "ALERTS": true} // Prometheus' own
	for _, sample := range regexp.MustCompile(`(?m)^([a-z_][a-zA-Z0-9_]*)[{ ]`).FindAllStringSubmatch(metrics, -1) {
		exposed[sample[1]] = true
	}
	ours := regexp.MustCompile(`(?m)^# TYPE (hookgate_\w+) `).FindAllStringSubmatch(metrics, -1)
	if len(ours) < 10 {
		t.Fatalf("%d metrics of ours:\n%s", len(ours), metrics)
	}

	shown := read(t, dashboardPath)
	for _, metric := range ours {
		if !regexp.MustCompile(metric[1] + `(_bucket|_sum|_count)?\b`).MatchString(shown) {
			t.Errorf("the dashboard does not show %s", metric[1])
		}
	}
	used := map[string]string{}
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			used[target.Expr] = "the panel " + p.Title
		}
	}
	recorded := map[string]bool{}
	for _, rule := range rules(t) {
		used[rule.Expr] = "the rule " + rule.Record + rule.Alert
		recorded[rule.Record] = true
	}
	text := regexp.MustCompile(`"[^"]*"|'[^']*'`)
	name := regexp.MustCompile(`\b(?:(?:hookgate|caddy|go|process)_\w+|up|[a-z_]+:\w+:\w+)\b`)
	for expr, where := range used {
		names := name.FindAllString(text.ReplaceAllString(expr, ""), -1)
		if len(names) == 0 {
			t.Errorf("%s uses no metric: %s", where, expr)
		}
		for _, metric := range names {
			if !exposed[metric] && !recorded[metric] {
				t.Errorf("%s uses %s, which is not exposed", where, metric)
			}
		}
	}
}
