package keyring

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/credential/credentialtest"
)

func TestCopyIsTheSameIndex(t *testing.T) {
	idx := NewIndex("epoch")
	samples := sampleKeys()
	want := make(map[credential.Digest]Key)
	for i := range 3000 {
		key := samples[i%len(samples)]
		key.ID, key.ExpiresAt = credentialtest.ID(i), min(key.ExpiresAt, maxUint48)
		idx.Put(credentialtest.Digest(i), uint64(i), key)
		want[credentialtest.Digest(i)] = key
	}
	chunks := idx.Copy(1000)
	if len(chunks) < 100 {
		t.Errorf("%d chunks", len(chunks))
	}
	again := &CopyReader{Index: NewIndex("epoch")}
	for _, chunk := range chunks {
		if err := again.Read(string(chunk)); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	again.Index.each(func(credential.Digest, uuid.UUID) { n++ })
	if n != len(want) {
		t.Errorf("%d credentials, want %d", n, len(want))
	}
	for d, key := range want {
		if got, ok := again.Index.lookup(d); !ok || !equalKeys(got, key) {
			t.Fatalf("%+v, want %+v", got, key)
		}
	}
	for _, kind := range credential.KindCodes {
		if got := again.Index.count(kind); got != idx.count(kind) {
			t.Errorf("%d of kind %s, want %d", got, kind, idx.count(kind))
		}
	}
	// Later changes win over it, and earlier ones do not, as over any snapshot.
	again.Index.Put(credentialtest.Digest(2999), 2998, samples[0])
	if got, _ := again.Index.lookup(credentialtest.Digest(2999)); got.ID != credentialtest.ID(2999) {
		t.Error("an older change won")
	}
}

func TestCutCopyIsRefused(t *testing.T) {
	idx := NewIndex("epoch")
	idx.Put(credentialtest.Digest(1), 300, testKey(1))
	chunk := string(idx.Copy(1 << 10)[0])
	for n := 1; n < len(chunk); n++ {
		reader := &CopyReader{Index: NewIndex("epoch")}
		if err := reader.Read(chunk[:n]); n != 2+len(appendIdentity(nil, testKey(1).Identity)) && !errors.Is(err, credential.ErrCorrupt) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	reader := &CopyReader{Index: NewIndex("epoch")}
	if err := reader.Read("\x01" + chunk); !errors.Is(err, credential.ErrCorrupt) {
		t.Errorf("an identity that was never told of: %v", err)
	}
}

func FuzzCopyReader(f *testing.F) {
	idx := NewIndex("epoch")
	for i, key := range sampleKeys() {
		idx.Put(credentialtest.Digest(i), uint64(i), key)
	}
	for _, chunk := range idx.Copy(64) {
		f.Add(string(chunk))
	}
	f.Add(string(idx.Copy(1 << 20)[0]))
	f.Fuzz(func(t *testing.T, chunk string) {
		reader := &CopyReader{Index: NewIndex("epoch")}
		if reader.Read(chunk) != nil {
			return
		}
		again := &CopyReader{Index: NewIndex("epoch")}
		for _, chunk := range reader.Index.Copy(1 << 10) {
			if err := again.Read(string(chunk)); err != nil {
				t.Fatal(err)
			}
		}
		for _, kind := range credential.KindCodes {
			if a, b := reader.Index.count(kind), again.Index.count(kind); a != b {
				t.Errorf("%d and %d of kind %s", a, b, kind)
			}
		}
	})
}
