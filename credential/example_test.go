package credential_test

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
)

// A token has a prefix, 256 random bits and a checksum: a typo is noticed without a
// look-up.
func ExampleWellFormedToken() {
	token := credential.MintToken(credential.PrefixCallback)
	fmt.Println(len(token), credential.WellFormedToken(token))
	fmt.Println(credential.WellFormedToken(token[:len(token)-1]))
	// Output:
	// 53 true
	// false
}

// The digest of a token is all that is stored of it.
func ExampleDigestToken() {
	const token = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk" // of no credential
	fmt.Println(credential.DigestToken(token))
	// Output: e43481b7442e84bf167aac4468ade78998565d4ce830cdbeceba6a14318a4cc3
}

// A credential is made of a spec; its token exists nowhere else.
func ExampleNewCredential() {
	spec := credential.Spec{
		Tenant: uuid.MustParse("11111111-1111-4111-8111-111111111111"),
		Kind:   credential.KindWebhook, Vendor: "pluggy", Connection: "pluggy-main",
	}
	if err := spec.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	c, token, err := credential.NewCredential(spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Kind, c.Vendor, token[:4], c.Digest == credential.DigestToken(token))
	// Output: webhook pluggy mwh_ true
}

// Text that may quote a client is masked before it is logged.
func ExampleMaskTokens() {
	line := []byte("token mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk was sent")
	credential.MaskTokens(line)
	fmt.Println(string(line))
	// Output: token mcb_************************************************* was sent
}
