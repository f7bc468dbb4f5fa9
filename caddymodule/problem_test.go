package caddymodule

import (
	"encoding/json"
	"testing"
)

// TestProblemBody: the bodies are put together by hand, and are JSON all the same.
func TestProblemBody(t *testing.T) {
	const id = "01900000-0000-7000-8000-000000000001"
	for _, p := range []problem{
		problemAmbiguous, problemRefused, problemForbidden, problemNoRoute, problemMethod, problemBodyCutOff, problemTooLarge,
		problemThrottled, problemInternal, problemBadGateway, problemUnavailable, problemTimeout,
	} {
		var got struct {
			Title, Detail, Instance, Code string
			Status                        int
		}
		if err := json.Unmarshal(p.body(id), &got); err != nil {
			t.Errorf("%s: %v", p.code, err)
		}
		if got.Title == "" || got.Status != p.status || got.Detail != p.detail || got.Instance != "urn:uuid:"+id || got.Code != p.code {
			t.Errorf("%s: %+v", p.code, got)
		}
	}
}
