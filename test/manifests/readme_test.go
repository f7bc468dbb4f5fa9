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
	shown := regexp.MustCompile("```sh\n" + `kubectl create namespace (\S+)` + "\n" + `kubectl create secret generic (\S+) --namespace (\S+)((?: --from-file=[\w-]+)+)` + "\n" + `kubectl apply --kustomize overlays/(\w+)` + "\n```").FindStringSubmatch(string(page))
	if shown == nil {
		t.Fatal("it does not show a secret and the overlay that needs it")
	}
	namespace, secret, within, files, overlay := shown[1], shown[2], shown[3], shown[4], shown[5]
	o := kustomize(t, filepath.Join(deploy, "kubernetes/overlays", overlay))
	deployment := o.deployments["matcher"]
	if within != namespace || deployment.Namespace != namespace {
		t.Errorf("the namespace %s is made, the secret in %s, and the pods run in %s", namespace, within, deployment.Namespace)
	}
	var mounts []string
	for _, v := range deployment.Spec.Template.Spec.Volumes {
		if v.Secret != nil {
			mounts = append(mounts, v.Secret.SecretName)
		}
	}
	if !slices.Equal(mounts, []string{secret}) {
		t.Errorf("the secret %s is made, %q are mounted", secret, mounts)
	}
	names := func(text, pattern string) (found []string) {
		for _, name := range regexp.MustCompile(pattern+`([\w-]+)`).FindAllStringSubmatch(text, -1) {
			found = append(found, name[1])
		}
		slices.Sort(found)
		return slices.Compact(found)
	}
	if made, read := names(files, "--from-file="), names(o.caddyfile(t), "/run/secrets/hookgate/"); !slices.Equal(made, read) {
		t.Errorf("the secret has %q, the Caddyfile reads %q", made, read)
	}
}
