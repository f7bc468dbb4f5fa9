package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// image is what the Dockerfile's last stage makes.
type image struct {
	copies          map[string]string // from where in the build stage, by where to
	env             []string
	user            string
	entrypoint, cmd []string
	health          []string
}

// instruction is a line of a Dockerfile, joined from its continuations.
type instruction struct{ word, args string }

func dockerfile(t *testing.T) (stages [][]instruction) {
	t.Helper()
	text := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(read(t, "Dockerfile"), "")
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		word, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "" {
			continue
		}
		if word == "FROM" {
			stages = append(stages, nil)
		}
		if stages == nil {
			t.Fatalf("%s stands before FROM", word)
		}
		last := len(stages) - 1
		stages[last] = append(stages[last], instruction{word, strings.TrimSpace(args)})
	}
	return stages
}

func parseImage(t *testing.T) image {
	t.Helper()
	stages := dockerfile(t)
	made := image{copies: map[string]string{}}
	words := func(args string) (list []string) {
		if err := json.Unmarshal([]byte(args), &list); err != nil {
			t.Fatalf("%s is not in exec form, and there is no shell: %v", args, err)
		}
		return list
	}
	for _, i := range stages[len(stages)-1] {
		switch i.word {
		case "FROM":
			if i.args != "scratch" {
				t.Errorf("the image is made FROM %s", i.args)
			}
		case "COPY":
			var places []string
			for _, field := range strings.Fields(i.args) {
				if !strings.HasPrefix(field, "--") {
					places = append(places, field)
				}
			}
			if len(places) != 2 || !strings.Contains(i.args, "--from=build") {
				t.Fatalf("COPY %s", i.args)
			}
			made.copies[places[1]] = places[0]
		case "ENV":
			made.env = append(made.env, strings.Fields(i.args)...)
		case "USER":
			made.user = i.args
		case "ENTRYPOINT":
			made.entrypoint = words(i.args)
		case "CMD":
			made.cmd = words(i.args)
		case "HEALTHCHECK":
			_, command, _ := strings.Cut(i.args, "CMD ")
			made.health = words(command)
		case "EXPOSE":
		default:
			t.Errorf("%s is not expected in the image", i.word)
		}
	}
	return made
}

func TestDockerfile(t *testing.T) {
	made := parseImage(t)
	if !regexp.MustCompile(`^[1-9][0-9]{3,}:[1-9][0-9]{3,}$`).MatchString(made.user) {
		t.Errorf("USER %s: Kubernetes' runAsNonRoot needs a number, and not that of root", made.user)
	}
	build := dockerfile(t)[0]
	whole, building := "", false
	for _, i := range build {
		whole += i.word + " " + i.args + "\n"
		// The flags are the Makefile's, for it is make that builds.
		building = building || i.word == "RUN" && strings.Contains(i.args, `make build VERSION="$VERSION"`)
	}
	if !building {
		t.Error("the image is not built by make")
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	if !strings.Contains(whole, " golang:"+goVersion+".") {
		t.Errorf("the image is not built with Go %s of go.mod", goVersion)
	}
	for _, from := range made.copies {
		switch from {
		case "/src/bin/hookgate", "/etc/ssl/certs/ca-certificates.crt", "/state":
		default:
			t.Errorf("%s is not known to be in the build stage", from)
		}
	}
}

// TestBuildContext: what the build needs is in the context, and nothing else is: no
// repository, no secret, no build of before.
func TestBuildContext(t *testing.T) {
	allowed := map[string]bool{}
	for line := range strings.Lines(read(t, ".dockerignore")) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "!"); found {
			allowed[name] = true
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Error(err)
			}
		}
	}
	if !strings.Contains(read(t, ".dockerignore"), "\n*\n") {
		t.Error("not everything is ignored at first")
	}
	needed := strings.Fields(output(t, "go", "-C", root, "list", "-deps", "-f", `{{if and .Module .Module.Main}}{{.ImportPath}}{{end}}`, "./cmd/hookgate"))
	if len(needed) < 4 {
		t.Fatalf("needed: %q", needed)
	}
	for _, path := range needed {
		top, _, _ := strings.Cut(strings.TrimPrefix(path, "github.com/hookgate/hookgate/"), "/")
		if !allowed[top] {
			t.Errorf("%s is not in the context", path)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "Makefile"} {
		if !allowed[name] {
			t.Errorf("%s is not in the context", name)
		}
	}
}
