package keyring

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

	"github.com/hookgate/hookgate/credential/credentialtest"

	"github.com/hookgate/hookgate/credential"
)

func testKey(n int) Key {
	return Key{ID: credentialtest.ID(n), Identity: &Identity{Tenant: credentialtest.Tenant, Kind: credential.KindCallback, Label: "acme"}}
}

func sampleKeys() []Key {
	return []Key{
		testKey(1),
		{ID: credentialtest.ID(2), Identity: &Identity{Tenant: credentialtest.Tenant, Kind: credential.KindWebhook, Vendor: "belvo", Connection: "belvo-main"}},
		{ID: credentialtest.ID(3), ExpiresAt: 1, Identity: &Identity{Kind: credential.KindCallback}},
		{ID: credentialtest.ID(4), ExpiresAt: math.MaxInt64, Identity: &Identity{
			Kind: credential.KindWebhook, Vendor: "x", Connection: strings.Repeat("\u00e9", 256), Label: strings.Repeat("\U0001F511", 128),
		}},
		{ID: credentialtest.ID(5), Identity: &Identity{Tenant: credentialtest.Tenant, Kind: credential.KindCallback, AllowedIPs: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128"),
		}}},
		{ID: credentialtest.ID(6), Identity: &Identity{Tenant: credentialtest.Tenant, TenantAs: credential.TenantDashless, Kind: credential.KindCallback, Label: "acme"}},
		{ID: credentialtest.ID(7), Identity: &Identity{Tenant: credentialtest.Tenant, Kind: credential.KindCallback, Label: "acme", Proves: true}, Verify: &credential.Verify{
			Scheme: "stripe", Sealed: "\x01sealed", Secrets: 2, ChangedAt: time.UnixMilli(1001).UTC(), GraceUntil: time.UnixMilli(1002).UTC(),
		}},
		{ID: credentialtest.ID(8), Identity: &Identity{Kind: credential.KindWebhook, Vendor: "belvo", Proves: true}, Verify: &credential.Verify{
			Scheme: `{"signature":{}}`, Sealed: strings.Repeat("x", 5000), Secrets: 1, ChangedAt: time.UnixMilli(1001).UTC(),
		}},
		{ID: credentialtest.ID(9), Identity: &Identity{Tenant: credentialtest.Tenant, Kind: credential.KindCallback, Label: "acme", Disabled: true}},
		{ID: credentialtest.ID(11), ExpiresAt: 1_800_000_000_000, Identity: &Identity{Kind: credential.KindCallback, InGrace: true}},
		{ID: credentialtest.ID(12), ExpiresAt: 1_800_000_000_000, Identity: &Identity{Kind: credential.KindCallback, Disabled: true, InGrace: true}},
		{ID: credentialtest.ID(10), ExpiresAt: 1_800_000_000_000, Identity: &Identity{Kind: credential.KindWebhook, Vendor: "belvo", Proves: true, Disabled: true}, Verify: &credential.Verify{
			Scheme: "stripe", Sealed: "\x01sealed", Secrets: 1, ChangedAt: time.UnixMilli(1001).UTC(),
		}},
	}
}

func equalKeys(a, b Key) bool {
	return a.ID == b.ID && a.ExpiresAt == b.ExpiresAt && reflect.DeepEqual(a.Identity, b.Identity) && reflect.DeepEqual(a.Verify, b.Verify)
}

func TestKeySurvivesEncoding(t *testing.T) {
	for _, key := range sampleKeys() {
		got, err := decodeKey(encodeKey(key))
		if err != nil || !equalKeys(got, key) {
			t.Errorf("%+v comes back as %+v, %v", key, got, err)
		}
	}
}

// TestDisabledHasPassedToOlderReleases: they read the expiry as a signed number, and take a
// negative one for the first millisecond of 1970. An expiry before 1970 that they have
// written themselves disables nothing.
func TestDisabledHasPassedToOlderReleases(t *testing.T) {
	for _, ms := range []int64{0, 1, 1_800_000_000_000, credential.LatestExpiry.UnixMilli(), math.MaxInt64} {
		key := testKey(1)
		key.ExpiresAt, key.Disabled = ms, true
		expires, n := binary.Uvarint([]byte(encodeKey(key)[fixedKey:]))
		if n <= 0 || int64(expires) >= 0 {
			t.Errorf("%d is %d", ms, int64(expires))
		}
	}
	grace := testKey(1)
	grace.ExpiresAt, grace.InGrace = 1_800_000_000_000, true
	if expires, n := binary.Uvarint([]byte(encodeKey(grace)[fixedKey:])); n <= 0 || expires != 1_800_000_000_000 {
		t.Errorf("a grace until %d", expires)
	}
	before1970 := int64(-1)
	encoded := []byte(encodeKey(testKey(1)))
	encoded = append(binary.AppendUvarint(encoded[:fixedKey:fixedKey], uint64(before1970)), encoded[fixedKey+1:]...)
	if key, err := decodeKey(string(encoded)); err != nil || key.ExpiresAt != 1 || key.Disabled {
		t.Errorf("%+v, %v", key, err)
	}
}

// Up to 64 bytes a hash of Redis stays a listpack, at a quarter of the memory.
func TestUsualKeyStaysSmall(t *testing.T) {
	value := "1000000:" + DigestOp{Key: testKey(1)}.State()
	if len(value) > 64 {
		t.Errorf("%d bytes", len(value))
	}
}

func TestUnreadableKeyIsRefused(t *testing.T) {
	whole := encodeKey(sampleKeys()[1])
	for n := range len(whole) {
		if _, err := decodeKey(whole[:n]); !errors.Is(err, credential.ErrCorrupt) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := decodeKey(whole + "x"); !errors.Is(err, credential.ErrCorrupt) {
		t.Errorf("with a byte too many: %v", err)
	}
	if _, err := decodeKey("\x63" + whole[1:]); !errors.Is(err, credential.ErrCorrupt) {
		t.Errorf("of an unknown kind: %v", err)
	}
}

func TestUnreadableValueIsRefused(t *testing.T) {
	live := DigestOp{Key: testKey(1)}.State()
	for name, value := range map[string]string{
		"empty": "", "no colon": "12", "no number": ":" + live, "not a number": "x:" + live, "negative": "-1:" + live,
		"no state": "1:", "unknown state": "1:*", "cut": "1:" + live[:20], "short id": "1:-abc", "long id": "1:-" + strings.Repeat("x", 17),
	} {
		if _, _, err := DecodeValue(credential.Digest{}, value); !errors.Is(err, credential.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnreadableEntryIsRefused(t *testing.T) {
	digest := string(slices.Repeat([]byte{7}, 32))
	whole := map[string]any{"s": "5", "p": "a", "h": "b", digest: DigestOp{Key: testKey(1)}.State()}
	c, err := DecodeEntry("epoch", whole)
	if err != nil || c.Epoch != "epoch" || c.Seq != 5 || c.Prev != "a" || c.Head != "b" || len(c.Ops) != 1 || c.Ops[0].ID != credentialtest.ID(1) {
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
		if _, err := DecodeEntry("epoch", entry); !errors.Is(err, credential.ErrCorrupt) {
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
		f.Add("1" + strconv.Itoa(i) + ":" + DigestOp{Key: key}.State())
	}
	f.Add("7:" + DigestOp{Removed: true, ID: credentialtest.ID(1)}.State())
	f.Fuzz(func(t *testing.T, value string) {
		seq, op, err := DecodeValue(credential.Digest{}, value)
		if err != nil {
			return
		}
		seq2, op2, err := DecodeValue(credential.Digest{}, strconv.FormatUint(seq, 10)+":"+op.State())
		if err != nil || seq2 != seq || op2.Removed != op.Removed || op2.ID != op.ID || !op.Removed && !equalKeys(op2.Key, op.Key) {
			t.Errorf("%+v comes back as %+v, %v", op, op2, err)
		}
	})
}

// FuzzPutEncoded: a snapshot reads what DecodeValue reads, whether it has seen the
// identity before or not.
func FuzzPutEncoded(f *testing.F) {
	for i, key := range sampleKeys() {
		f.Add("1" + strconv.Itoa(i) + ":" + DigestOp{Key: key}.State())
	}
	f.Add("7:" + DigestOp{Removed: true, ID: credentialtest.ID(1)}.State())
	f.Add("1:+\x00")
	f.Fuzz(func(t *testing.T, value string) {
		idx := NewIndex("epoch")
		wantSeq, op, wantErr := DecodeValue(credentialtest.Digest(1), value)
		for n := range 2 {
			d := credentialtest.Digest(n)
			_, seq, err := idx.PutEncoded(string(d[:]), value)
			if wantErr != nil || op.Removed {
				if err == nil {
					t.Fatalf("put %d took it, DecodeValue says %v", n, wantErr)
				}
				continue
			}
			if op.Key.ExpiresAt < 0 || op.Key.ExpiresAt > maxUint48 {
				return // kept as long past, or as good as never
			}
			key, found := idx.lookup(d)
			if err != nil || seq != wantSeq || !found || !equalKeys(key, op.Key) {
				t.Fatalf("put %d: %+v, %d, %v, want %+v", n, key, seq, err, op.Key)
			}
		}
	})
}

func FuzzDecodeEntry(f *testing.F) {
	digest := strings.Repeat("d", 32)
	f.Add("1", "", "head", digest, DigestOp{Key: testKey(1)}.State())
	f.Add("2", "head", "next", digest, DigestOp{Removed: true, ID: credentialtest.ID(1)}.State())
	f.Fuzz(func(t *testing.T, seq, prev, head, field, state string) {
		values := map[string]any{"s": seq, "p": prev, "h": head}
		values[field] = state
		c, err := DecodeEntry("epoch", values)
		if err == nil && (c.Seq == 0 || c.Head == "" || len(c.Ops) > 1) {
			t.Errorf("accepted as %+v", c)
		}
	})
}
