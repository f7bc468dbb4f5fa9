package main

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/hookgate/hookgate/proof"
)

// vendorKey is the key that requests with a proof are signed with, in signed.lua, too.
const vendorKey = "the key of a vendor that only the benchmark knows"

// signing is what a set-up does with requests that have a proof, by Standard Webhooks.
type signing struct {
	Verify bool
	Replay string // for how long a delivery is remembered; empty: not at all
}

// Vendor returns the vendor that the credential is of: none where nothing is signed.
func (s *signing) Vendor() string {
	if s == nil {
		return ""
	}
	return "acme"
}

// Secret returns the key as the configuration has it.
func (*signing) Secret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(vendorKey))
}

// headers returns the proof of a body, sent now.
func (s *signing) headers(body string) (http.Header, error) {
	preset, _ := proof.Named("standard-webhooks")
	signed, err := proof.Sign(preset.Scheme, s.Secret(), "first", proof.Message{
		Method: http.MethodPost, Path: path, Body: []byte(body), Arrived: time.Now(),
	})
	return signed.Header, err
}

// signedHookgate returns how to start hookgate for senders that sign.
func signedHookgate(how signing) func(context.Context, *rig) (*setup, error) {
	return func(ctx context.Context, r *rig) (*setup, error) {
		path, err := buildHookgate(ctx, r)
		if err != nil {
			return nil, err
		}
		name := oursSigned
		switch {
		case how.Replay != "":
			name = oursReplay
		case how.Verify:
			name = oursProof
		}
		return r.startHookgateFor(ctx, &how, name, []string{path}, "hookgate_proxy", r.credentials)
	}
}
