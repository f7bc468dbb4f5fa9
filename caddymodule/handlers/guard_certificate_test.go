package handlers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/proof/clientcert/clientcerttest"
)

func TestClientCertProvision(t *testing.T) {
	t.Setenv("HOOKGATE_TEST_SIGNING", "resolved-signing-secret")
	ca, none := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "none.pem")
	for path, text := range map[string][]byte{ca: clientcerttest.NewAuthority(t).PEM, none: []byte("x")} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := []string{"*"}
	for name, tc := range map[string]struct {
		vendor *Vendor
		loads  bool
	}{
		"a certificate":              {&Vendor{ClientCert: &ClientCert{CA: ca, Subject: []string{"CN=a"}}}, true},
		"any of it and an address":   {&Vendor{Require: "any", AllowIPs: []string{"::1"}, ClientCert: &ClientCert{CA: ca, Subject: all}}, true},
		"any of it and a signature":  {&Vendor{Require: "any", Verify: []*Verify{constant(nil)}, ClientCert: &ClientCert{CA: ca, Subject: all}}, true},
		"in a header":                {&Vendor{ClientCert: &ClientCert{CA: ca, Subject: all, FromHeader: "x-client-cert"}}, true},
		"any of it alone":            {&Vendor{Require: "any", ClientCert: &ClientCert{CA: ca, Subject: all}}, false},
		"no file named":              {&Vendor{ClientCert: &ClientCert{Subject: all}}, false},
		"a file that is not there":   {&Vendor{ClientCert: &ClientCert{CA: ca + "x", Subject: all}}, false},
		"a file without one":         {&Vendor{ClientCert: &ClientCert{CA: none, Subject: all}}, false},
		"no subject":                 {&Vendor{ClientCert: &ClientCert{CA: ca}}, false},
		"a subject that is none":     {&Vendor{ClientCert: &ClientCert{CA: ca, Subject: []string{"x"}}}, false},
		"in no header":               {&Vendor{ClientCert: &ClientCert{CA: ca, Subject: all, FromHeader: "X Client"}}, false},
		"in the token header":        {&Vendor{ClientCert: &ClientCert{CA: ca, Subject: all, FromHeader: "x-callback-token"}}, false},
		"in a header that we set":    {&Vendor{ClientCert: &ClientCert{CA: ca, Subject: all, FromHeader: "X-Tenant-Id"}}, false},
		"in one of the proxy's":      {&Vendor{ClientCert: &ClientCert{CA: ca, Subject: all, FromHeader: "X-Forwarded-For"}}, false},
		"in one of the connection's": {&Vendor{ClientCert: &ClientCert{CA: ca, Subject: all, FromHeader: "Connection"}}, false},
	} {
		g := vendorGuard("bank", tc.vendor)
		err := g.addVendors()
		switch {
		case (err == nil) != tc.loads:
			t.Errorf("%s: %v", name, err)
		case err != nil && !strings.Contains(err.Error(), "vendor bank"):
			t.Errorf("%s: the error does not name the vendor: %v", name, err)
		case err == nil && tc.vendor.ClientCert.FromHeader != "" && !slices.Equal(g.policy.CertHeaders, []string{"X-Client-Cert"}):
			t.Errorf("%s: %v go no further", name, g.policy.CertHeaders)
		}
	}
}
