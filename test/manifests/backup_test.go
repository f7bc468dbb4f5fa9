package manifests

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestBackupJob: the CronJob of docs/backup.md, among the resources of the component or
// beside the chart, dumps with the image, the files, the settings and the rights that
// Hookgate has in its pod, and what it dumps is what the second container keeps.
func TestBackupJob(t *testing.T) {
	beside := component(t, "  - ../hookgate\n", "  - ../hookgate\n  - backup.yaml\n")
	t.Run("component", func(t *testing.T) {
		dumpsWhatIsServed(t, beside.jobs["hookgate-backup"], form{objects: beside, pod: beside.deployments["matcher"]})
	})
	t.Run("chart", func(t *testing.T) {
		own := ownPods(t, "")
		f := form{objects: own, pod: own.deployments["hookgate"]}
		text := strings.Replace(shown(t, "../docs/backup.md")["backup.yaml"], "image: hookgate", "image: "+f.container(t, "hookgate").Image, 1)
		job := new(batch.CronJob)
		if err := yaml.UnmarshalStrict([]byte(text), job); err != nil {
			t.Fatal(err)
		}
		dumpsWhatIsServed(t, job, f)
	})
}

func dumpsWhatIsServed(t *testing.T, job *batch.CronJob, f form) {
	if job == nil {
		t.Fatal("there is no job")
	}
	serves, pod := f.container(t, "hookgate"), job.Spec.JobTemplate.Spec.Template.Spec
	dump, keep := pod.InitContainers[0], pod.Containers[0]
	if dump.Image != serves.Image || !reflect.DeepEqual(dump.EnvFrom, serves.EnvFrom) {
		t.Errorf("it runs %s with %+v, the pod %s with %+v", dump.Image, dump.EnvFrom, serves.Image, serves.EnvFrom)
	}
	for _, mount := range serves.VolumeMounts {
		if !slices.ContainsFunc(dump.VolumeMounts, func(m core.VolumeMount) bool { return reflect.DeepEqual(m, mount) }) {
			t.Errorf("it lacks %+v", mount)
		}
	}
	source := func(volumes []core.Volume, name string) core.VolumeSource {
		for _, v := range volumes {
			if v.Name == name {
				return v.VolumeSource
			}
		}
		t.Fatalf("there is no volume %s", name)
		return core.VolumeSource{}
	}
	for _, mount := range serves.VolumeMounts {
		if got, want := source(pod.Volumes, mount.Name), source(f.pod.Spec.Template.Spec.Volumes, mount.Name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, and %+v in the pod", mount.Name, got, want)
		}
	}
	if !strings.Contains(strings.Join(keep.Command, " "), dump.Args[2]) || !slices.Equal(dump.Args[:2], []string{"store", "dump"}) {
		t.Errorf("%q is dumped, %q kept", dump.Args, keep.Command)
	}
	for _, c := range []core.Container{dump, keep} {
		if s := c.SecurityContext; s == nil || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) {
			t.Errorf("%s may do %+v", c.Name, s)
		}
	}
	if s, own := pod.SecurityContext, serves.SecurityContext; !*s.RunAsNonRoot || *s.RunAsUser != *own.RunAsUser || *s.FSGroup != *own.RunAsGroup {
		t.Errorf("it runs as %+v, the pod as %+v", s, own)
	}
}
