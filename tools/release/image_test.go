package release

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// openImage unpacks the archive and returns the image in it, for all processors.
func openImage(t *testing.T) v1.ImageIndex {
	t.Helper()
	dir := t.TempDir()
	output(t, "tar", "-x", "-C", dir, "-f", published(t, "hookgate-image.tar"))
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"] == "" {
		t.Fatalf("the archive has not one image with a name: %+v", manifest.Manifests)
	}
	index, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// images returns the images of an index by processor.
func images(t *testing.T, index v1.ImageIndex) map[string]v1.Image {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]v1.Image)
	for _, m := range manifest.Manifests {
		image, err := index.Image(m.Digest)
		if err != nil || m.Platform == nil || m.Platform.OS != "linux" {
			t.Fatalf("%+v: %v", m, err)
		}
		found[m.Platform.Architecture] = image
	}
	return found
}

// TestImage: what the layout holds is whole, and is run as the Dockerfile's image is.
func TestImage(t *testing.T) {
	index := openImage(t)
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	dockerfile := string(read(t, filepath.Join(root, "Dockerfile")))
	dockerfile = dockerfile[strings.Index(dockerfile, "FROM scratch"):]
	line := func(instruction string) string {
		return regexp.MustCompile(`(?m)^` + instruction + ` (.*)$`).FindStringSubmatch(dockerfile)[1]
	}
	var entrypoint []string
	if err := json.Unmarshal([]byte(line("ENTRYPOINT")), &entrypoint); err != nil {
		t.Fatal(err)
	}
	health := slices.Concat(entrypoint, []string{"check", "--server", "http://127.0.0.1:9090"})
	found := images(t, index)
	for _, processor := range processors {
		image := found[processor]
		if image == nil {
			t.Fatalf("there is none for %s", processor)
		}
		file, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config := file.Config
		var ports []string
		for port := range config.ExposedPorts {
			ports = append(ports, strings.TrimSuffix(port, "/tcp"))
		}
		slices.Sort(ports)
		switch {
		case file.Architecture != processor:
			t.Errorf("%s: it says %s", processor, file.Architecture)
		case config.User != line("USER") || !regexp.MustCompile(`^[1-9]\d+:[1-9]\d+$`).MatchString(config.User):
			t.Errorf("%s: user %s", processor, config.User)
		case strings.Join(config.Env, " ") != line("ENV"):
			t.Errorf("%s: environment %q", processor, config.Env)
		case strings.Join(ports, " ") != line("EXPOSE"):
			t.Errorf("%s: ports %q", processor, ports)
		case !slices.Equal(config.Entrypoint, entrypoint) || !strings.Contains(dockerfile, "\nCMD "+quoted(config.Cmd)+"\n"):
			t.Errorf("%s: %q %q", processor, config.Entrypoint, config.Cmd)
		case !slices.Equal(config.Healthcheck.Test[1:], health) || !strings.Contains(dockerfile, " CMD "+quoted(health)):
			t.Errorf("%s: health %q", processor, config.Healthcheck.Test)
		case config.Labels["org.opencontainers.image.version"] != version || config.Labels["org.opencontainers.image.licenses"] != "Apache-2.0":
			t.Errorf("%s: labels %q", processor, config.Labels)
		}
	}
}

func quoted(words []string) string {
	text, _ := json.Marshal(words)
	return strings.ReplaceAll(string(text), `","`, `", "`)
}

// TestImageRuns: its binary, which is the one that is published, runs with the image as its
// root and as its user, which can write to nothing but its state.
func TestImageRuns(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change the root directory")
	}
	dir := t.TempDir()
	image := images(t, openImage(t))[runtime.GOARCH]
	content := mutate.Extract(image)
	defer content.Close()
	writable := make(map[string]int)
	for archive := tar.NewReader(content); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, header.Name)
		if header.Uid != 0 || header.Mode&0o022 != 0 {
			writable[strings.Trim(header.Name, "/")] = header.Uid
		}
		if header.Typeflag == tar.TypeDir {
			err = os.Mkdir(path, header.FileInfo().Mode())
		} else {
			var text []byte
			if text, err = io.ReadAll(archive); err == nil {
				err = os.WriteFile(path, text, header.FileInfo().Mode())
			}
		}
		if err == nil {
			err = os.Chown(path, header.Uid, header.Gid)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(writable) != 1 || writable["var/lib/hookgate"] != 65532 {
		t.Errorf("its user can write to %v", writable)
	}
	if n := strings.Count(string(read(t, filepath.Join(dir, "etc/ssl/certs/ca-certificates.crt"))), "BEGIN CERTIFICATE"); n < 100 {
		t.Errorf("%d authorities", n)
	}
	if string(read(t, filepath.Join(dir, "usr/bin/hookgate"))) != string(read(t, published(t, "hookgate-linux-"+runtime.GOARCH))) {
		t.Error("it is another binary")
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	user, _, _ := strings.Cut(config.Config.User, ":")
	uid, err := strconv.ParseUint(user, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{
		Path: "/usr/bin/hookgate", Args: []string{"hookgate", "version"}, Dir: "/", Env: config.Config.Env,
		SysProcAttr: &syscall.SysProcAttr{Chroot: dir, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "hookgate "+version+", caddy v2.") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestImagePushes: a registry takes it, and gives it back for each processor.
func TestImagePushes(t *testing.T) {
	server := httptest.NewServer(registry.New())
	defer server.Close()
	index := openImage(t)
	tag, err := name.NewTag(strings.TrimPrefix(server.URL, "http://") + "/hookgate:1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(tag, index); err != nil {
		t.Fatal(err)
	}
	for processor, want := range images(t, index) {
		got, err := remote.Image(tag, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: processor}))
		if err != nil {
			t.Fatal(err)
		}
		wanted, err := want.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if digest, err := got.Digest(); err != nil || digest != wanted {
			t.Errorf("%s: %s, %v, want %s", processor, digest, err, wanted)
		}
	}
}
