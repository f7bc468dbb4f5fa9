package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestReadme: the secret that deploy/kubernetes/README.md makes is the one that the
// overlay it applies mounts, with the files that the Caddyfile reads.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(deploy, "kubernetes/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("```sh\n" + `kubectl create secret generic (\S+) --namespace (\S+)((?: --from-file=[\w-]+)+)` + "\n" + `kubectl apply --kustomize overlays/(\w+)` + "\n```").FindStringSubmatch(string(page))
	if shown == nil {
		t.Fatal("it does not show a secret and the overlay that needs it")
	}
	o := render(t, shown[4])
	deployment := o.deployments["matcher"]
	if deployment.Namespace != shown[2] {
		t.Errorf("the secret is made in %s, the pods run in %s", shown[2], deployment.Namespace)
	}
	var mounts []string
	for _, v := range deployment.Spec.Template.Spec.Volumes {
		if v.Secret != nil {
			mounts = append(mounts, v.Secret.SecretName)
		}
	}
	if !slices.Equal(mounts, []string{shown[1]}) {
		t.Errorf("the secret %s is made, %q are mounted", shown[1], mounts)
	}
	names := func(text, pattern string) (found []string) {
		for _, name := range regexp.MustCompile(pattern+`([\w-]+)`).FindAllStringSubmatch(text, -1) {
			found = append(found, name[1])
		}
		slices.Sort(found)
		return slices.Compact(found)
	}
	if made, read := names(shown[3], "--from-file="), names(o.caddyfile(t), "/run/secrets/hookgate/"); !slices.Equal(made, read) {
		t.Errorf("the secret has %q, the Caddyfile reads %q", made, read)
	}
}
