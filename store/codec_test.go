package store

import (
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func testID(n int) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// testDigest spreads over the shards as real digests do, at a fraction of the cost.
func testDigest(n int) Digest {
	var d Digest
	x := uint64(n)*0x9E3779B97F4A7C15 + 1
	for i := 0; i < len(d); i += 8 {
		x ^= x >> 29
		x *= 0xBF58476D1CE4E5B9
		binary.BigEndian.PutUint64(d[i:], x)
	}
	return d
}

func testKey(n int) Key {
	return Key{ID: testID(n), Identity: &Identity{Tenant: tenant, Kind: KindCallback, Label: "acme"}}
}

func sampleKeys() []Key {
	return []Key{
		testKey(1),
		{ID: testID(2), Identity: &Identity{Tenant: tenant, Kind: KindWebhook, Vendor: "belvo", Connection: "belvo-main"}},
		{ID: testID(3), ExpiresAt: 1, Identity: &Identity{Kind: KindCallback}},
		{ID: testID(4), ExpiresAt: math.MaxInt64, Identity: &Identity{
			Kind: KindWebhook, Vendor: "x", Connection: strings.Repeat("\u00e9", 256), Label: strings.Repeat("\U0001F511", 128),
		}},
		{ID: testID(5), Identity: &Identity{Tenant: tenant, Kind: KindCallback, AllowedIPs: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128"),
		}}},
	}
}

func equalKeys(a, b Key) bool {
	return a.ID == b.ID && a.ExpiresAt == b.ExpiresAt && reflect.DeepEqual(a.Identity, b.Identity)
}

func TestKeySurvivesEncoding(t *testing.T) {
	for _, key := range sampleKeys() {
		got, err := decodeKey(encodeKey(key))
		if err != nil || !equalKeys(got, key) {
			t.Errorf("%+v comes back as %+v, %v", key, got, err)
		}
	}
}

// Up to 64 bytes a hash of Redis stays a listpack, at a quarter of the memory.
func TestUsualKeyStaysSmall(t *testing.T) {
	value := "1000000:" + digestOp{key: testKey(1)}.state()
	if len(value) > 64 {
		t.Errorf("%d bytes", len(value))
	}
}

func TestUnreadableKeyIsRefused(t *testing.T) {
	whole := encodeKey(sampleKeys()[1])
	for n := range len(whole) {
		if _, err := decodeKey(whole[:n]); !errors.Is(err, errCorrupt) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := decodeKey(whole + "x"); !errors.Is(err, errCorrupt) {
		t.Errorf("with a byte too many: %v", err)
	}
	if _, err := decodeKey("\x63" + whole[1:]); !errors.Is(err, errCorrupt) {
		t.Errorf("of an unknown kind: %v", err)
	}
}

func TestUnreadableValueIsRefused(t *testing.T) {
	live := digestOp{key: testKey(1)}.state()
	for name, value := range map[string]string{
		"empty": "", "no colon": "12", "no number": ":" + live, "not a number": "x:" + live, "negative": "-1:" + live,
		"no state": "1:", "unknown state": "1:*", "cut": "1:" + live[:20], "short id": "1:-abc", "long id": "1:-" + strings.Repeat("x", 17),
	} {
		if _, _, err := decodeValue(Digest{}, value); !errors.Is(err, errCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnreadableEntryIsRefused(t *testing.T) {
	digest := string(slices.Repeat([]byte{7}, 32))
	whole := map[string]any{"s": "5", "p": "a", "h": "b", digest: digestOp{key: testKey(1)}.state()}
	c, err := decodeEntry("epoch", whole)
	if err != nil || c.epoch != "epoch" || c.seq != 5 || c.prev != "a" || c.head != "b" || len(c.ops) != 1 || c.ops[0].id != testID(1) {
		t.Fatalf("%+v, %v", c, err)
	}
	for name, spoil := range map[string]func(map[string]any){
		"no sequence number":  func(m map[string]any) { delete(m, "s") },
		"zero":                func(m map[string]any) { m["s"] = "0" },
		"not a number":        func(m map[string]any) { m["s"] = "five" },
		"no head":             func(m map[string]any) { delete(m, "h") },
		"unknown field":       func(m map[string]any) { m["x"] = "y" },
		"unreadable state":    func(m map[string]any) { m[digest] = "?" },
		"value of other type": func(m map[string]any) { m["p"] = 1 },
	} {
		entry := maps.Clone(whole)
		spoil(entry)
		if _, err := decodeEntry("epoch", entry); !errors.Is(err, errCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnreadableRecordIsRefused(t *testing.T) {
	c := Credential{
		ID: testID(1), Tenant: tenant, Kind: KindWebhook, Label: "l", Vendor: "v", Connection: "c",
		AllowedIPs: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")},
		ExpiresAt:  time.UnixMilli(5000).UTC(), Supersedes: testID(2), digest: testDigest(1),
	}
	fields := map[string]string{}
	for pair := range slices.Chunk(recordFields(&c), 2) {
		fields[pair[0]] = pair[1]
	}
	fields[fieldVersion], fields[fieldCreatedAt] = "1", "1000"
	c.version, c.CreatedAt = "1", time.UnixMilli(1000).UTC()
	if got, err := parseRecord(c.ID, fields); err != nil || !reflect.DeepEqual(got, c) {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, spoil := range map[string]func(map[string]string){
		"nothing":            func(m map[string]string) { clear(m) },
		"no digest":          func(m map[string]string) { delete(m, fieldDigest) },
		"short digest":       func(m map[string]string) { m[fieldDigest] = "x" },
		"no kind":            func(m map[string]string) { delete(m, fieldKind) },
		"unknown kind":       func(m map[string]string) { m[fieldKind] = "password" },
		"no version":         func(m map[string]string) { delete(m, fieldVersion) },
		"no tenant":          func(m map[string]string) { delete(m, fieldTenant) },
		"tenant in text":     func(m map[string]string) { m[fieldTenant] = tenant.String() },
		"short predecessor":  func(m map[string]string) { m[fieldSupersedes] = "x" },
		"no creation time":   func(m map[string]string) { delete(m, fieldCreatedAt) },
		"unreadable instant": func(m map[string]string) { m[fieldRevokedAt] = "yesterday" },
		"unreadable address": func(m map[string]string) { m[fieldAllowedIPs] = "10.0.0.0/8 here" },
	} {
		spoiled := maps.Clone(fields)
		spoil(spoiled)
		if _, err := parseRecord(c.ID, spoiled); !errors.Is(err, errCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodeKey(f *testing.F) {
	for _, key := range sampleKeys() {
		f.Add(encodeKey(key))
	}
	f.Fuzz(func(t *testing.T, value string) {
		key, err := decodeKey(value)
		if err != nil {
			return
		}
		again, err := decodeKey(encodeKey(key))
		if err != nil || !equalKeys(again, key) {
			t.Errorf("%+v comes back as %+v, %v", key, again, err)
		}
	})
}

func FuzzDecodeValue(f *testing.F) {
	for i, key := range sampleKeys() {
		f.Add("1" + strconv.Itoa(i) + ":" + digestOp{key: key}.state())
	}
	f.Add("7:" + digestOp{removed: true, id: testID(1)}.state())
	f.Fuzz(func(t *testing.T, value string) {
		seq, op, err := decodeValue(Digest{}, value)
		if err != nil {
			return
		}
		seq2, op2, err := decodeValue(Digest{}, strconv.FormatUint(seq, 10)+":"+op.state())
		if err != nil || seq2 != seq || op2.removed != op.removed || op2.id != op.id || !op.removed && !equalKeys(op2.key, op.key) {
			t.Errorf("%+v comes back as %+v, %v", op, op2, err)
		}
	})
}

func FuzzDecodeEntry(f *testing.F) {
	digest := strings.Repeat("d", 32)
	f.Add("1", "", "head", digest, digestOp{key: testKey(1)}.state())
	f.Add("2", "head", "next", digest, digestOp{removed: true, id: testID(1)}.state())
	f.Fuzz(func(t *testing.T, seq, prev, head, field, state string) {
		values := map[string]any{"s": seq, "p": prev, "h": head}
		values[field] = state
		c, err := decodeEntry("epoch", values)
		if err == nil && (c.seq == 0 || c.head == "" || len(c.ops) > 1) {
			t.Errorf("accepted as %+v", c)
		}
	})
}
