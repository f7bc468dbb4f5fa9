package proof_test

import (
	"fmt"
	"time"

	"github.com/hookgate/hookgate/proof"
)

// A scheme in words, a request signed by it, and what a verifier makes of the request when it arrives.
func Example() {
	scheme, _, err := proof.FromWords([][]string{
		{"signature", "header", "X-Acme-Signature", "pairs", ",", "=", "v1"},
		{"timestamp", "pair", "t"},
		{"signed", "{timestamp}.{body}"},
	})
	if err != nil {
		panic(err)
	}
	program, err := proof.Compile(scheme)
	if err != nil {
		panic(err)
	}
	verifier, err := program.With(proof.Secret{Value: "new secret"}, proof.Secret{Value: "secret"})
	if err != nil {
		panic(err)
	}
	request, err := proof.Sign(scheme, "secret", "evt_1", proof.Message{
		Method: "POST", Body: []byte(`{"amount":1}`), Arrived: time.Unix(1_800_000_000, 0),
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(request.Header["X-Acme-Signature"][0][:16])
	fmt.Println(proof.Any{verifier}.Verify(&request).Result)
	request.Body = []byte(`{"amount":100}`)
	fmt.Println(proof.Any{verifier}.Verify(&request).Result)
	request.Arrived = request.Arrived.Add(time.Hour)
	fmt.Println(proof.Any{verifier}.Verify(&request).Result)
	// Output:
	// t=1800000000,v1=
	// old_secret
	// mismatch
	// timestamp_old
}
