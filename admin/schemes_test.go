package admin_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/proof"
)

// TestSchemes: what is listed are the names that verify takes, with where the secret is.
func TestSchemes(t *testing.T) {
	s := newServer(t)
	var list api.SchemeList
	if err := json.Unmarshal(s.expect(200, viewerOf(t, tenantA), "GET", "/v1/schemes", "").body, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Schemes) != len(proof.Presets()) {
		t.Fatalf("%d schemes of %d", len(list.Schemes), len(proof.Presets()))
	}
	for i, preset := range proof.Presets() {
		if got := list.Schemes[i]; got.Name != preset.Name || got.Title != preset.Title || got.Secret != preset.Secret || got.Notes != preset.Notes {
			t.Errorf("%+v, want %+v", got, preset)
		}
	}
	checkProblem(t, s.as("", "GET", "/v1/schemes", ""), 401, "HKG-2401")
}

// TestLastProofs: whoever looks at one credential sees how its senders' proofs went.
func TestLastProofs(t *testing.T) {
	s := newServer(t)
	made := s.must(201, adminOf(t, tenantA), "POST", credentialsPath, `{"kind":"callback","verify":`+verifying(vendorSecret)+`}`)
	id := uuid.MustParse(made.text(t, "id"))
	one := credentialsPath + "/" + id.String()
	if shown := s.expect(200, viewerOf(t, tenantA), "GET", one, "").decode(t); shown["lastProofs"] != nil {
		t.Errorf("none was seen, and %v is shown", shown["lastProofs"])
	}
	earlier := time.Now().Add(-time.Minute)
	s.store.MarkProof(id, "ok", earlier)
	s.store.MarkProof(id, "mismatch", earlier.Add(time.Second))
	var shown api.Credential
	if err := json.Unmarshal(s.expect(200, viewerOf(t, tenantA), "GET", one, "").body, &shown); err != nil {
		t.Fatal(err)
	}
	if p := shown.LastProofs; len(p) != 2 || p[0].Result != "mismatch" || p[1].Result != "ok" || p[1].At.Sub(earlier).Abs() > 10*time.Second {
		t.Errorf("shown are %v", p)
	}
}
