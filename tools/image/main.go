// Command image writes the image of the binary, for every processor, as a layout of the
// Open Container Initiative: a directory that skopeo, crane, podman and ctr read. It takes
// no container engine, and the same binaries make the same bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("image: ")
	var made build
	var output, binaries string
	flag.StringVar(&output, "output", "", "the directory to write")
	flag.StringVar(&binaries, "binaries", "", "what the paths of the binaries begin with; the processor follows")
	flag.StringVar(&made.version, "version", "", "the version of the binaries")
	flag.StringVar(&made.revision, "revision", "", "the commit that they are of")
	created := flag.Int64("created", 0, "when that was made, in seconds since 1970")
	flag.Parse()
	made.created = time.Unix(*created, 0).UTC()
	if err := write(output, binaries, flag.Args(), made); err != nil {
		log.Fatal(err)
	}
}

// build is what all images have in common.
type build struct {
	version, revision string
	created           time.Time
}

// write makes the layout with an image for each processor, under one name.
func write(output, binaries string, processors []string, made build) error {
	if output == "" || binaries == "" || len(processors) == 0 {
		return errors.New("usage: image -output <directory> -binaries <prefix> [flags] <processor>, one or more")
	}
	var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, processor := range processors {
		binary, err := os.ReadFile(binaries + processor)
		if err != nil {
			return err
		}
		image, err := newImage(binary, processor, made)
		if err != nil {
			return fmt.Errorf("%s: %w", processor, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: processor}},
		})
	}
	index = mutate.Annotations(index, made.labels()).(v1.ImageIndex)

	// What an earlier build left would stay beside what is written.
	if err := os.RemoveAll(output); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return err
	}
	path, err := layout.Write(output, mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	if err != nil {
		return err
	}
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": made.tag()}))
}

// tag is the version as a tag may be spelt.
func (b build) tag() string { return strings.NewReplacer("+", "-", "~", "-").Replace(b.version) }

// newImage returns the image for one processor.
func newImage(binary []byte, processor string, made build) (v1.Image, error) {
	content, err := layers(binary, made.created)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, layer := range content {
		image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{
			Created: v1.Time{Time: made.created}, CreatedBy: "make release",
		}})
		if err != nil {
			return nil, err
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", processor, v1.Time{Time: made.created}
	config.Config = made.config()
	return mutate.ConfigFile(image, config)
}
