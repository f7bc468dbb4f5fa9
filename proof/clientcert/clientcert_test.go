package clientcert

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
	"github.com/hookgate/hookgate/proof/clientcert/clientcerttest"
)

var bank = pkix.Name{CommonName: "pix.bank.example", Organization: []string{"Bank, S.A."}, OrganizationalUnit: []string{"Pix", "Webhooks"}}

func chain(t testing.TB, c tls.Certificate) (all []*x509.Certificate) {
	t.Helper()
	for _, der := range c.Certificate {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parsed)
	}
	return all
}

func verifier(t testing.TB, authorities []byte, subjects ...string) *Verifier {
	t.Helper()
	v, err := New(authorities, subjects)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestCertificates: whose certificate counts, and when. Each is judged twice: what is
// remembered changes nothing.
func TestCertificates(t *testing.T) {
	ours, theirs := clientcerttest.NewAuthority(t), clientcerttest.NewAuthority(t)
	below := ours.Authority(t)
	forUse := func(use ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = use }
	}
	limited := func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
	}
	now := time.Now()
	long := ours.Client(t, bank, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.AddDate(40, 0, 0) })
	for _, tc := range []struct {
		name        string
		certificate tls.Certificate
		at          time.Duration
		want        proof.Result
	}{
		{"the bank's", ours.Client(t, bank), 0, proof.OK},
		{"with an authority between", below.Client(t, bank), 0, proof.OK},
		{"of another authority", theirs.Client(t, bank), 0, Untrusted},
		{"its own authority", (*clientcerttest.Authority)(nil).Client(t, bank), 0, Untrusted},
		{"for servers", ours.Client(t, bank, forUse(x509.ExtKeyUsageServerAuth)), 0, Untrusted},
		{"for both", ours.Client(t, bank, forUse(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)), 0, proof.OK},
		{"for no use in particular", ours.Client(t, bank, forUse()), 0, proof.OK},
		{"with a condition that nobody knows", ours.Client(t, bank, limited), 0, Untrusted},
		{"of another client", ours.Client(t, pkix.Name{CommonName: "other.bank.example"}), 0, Subject},
		{"over", ours.Client(t, bank), 2 * time.Hour, Expired},
		{"not begun", ours.Client(t, bank), -2 * time.Hour, Expired},
		{"its authority is over", long, 30 * 365 * 24 * time.Hour, Expired},
		{"none", tls.Certificate{}, 0, Missing},
	} {
		v := verifier(t, ours.PEM, "CN=pix.bank.example")
		all := chain(t, tc.certificate)
		for i := range 2 {
			if got := v.Presented(all, now.Add(tc.at)); got != tc.want {
				t.Errorf("%s, time %d: %s, want %s", tc.name, i, got, tc.want)
			}
		}
		if len(all) != 1 {
			continue // a header has one
		}
		for form, text := range map[string]string{"RFC 9440": clientcerttest.RFC9440(tc.certificate), "PEM": clientcerttest.Escaped(tc.certificate)} {
			for i := range 2 {
				if got := v.PassedOn([]string{text}, now.Add(tc.at)); got != tc.want {
					t.Errorf("%s in a header, %s, time %d: %s, want %s", tc.name, form, i, got, tc.want)
				}
			}
		}
	}
}

// TestRememberedIsForgotten: what counted once does so for as long as it is valid, and no
// longer; and there is a bound to what is remembered.
func TestRememberedIsForgotten(t *testing.T) {
	ours, now := clientcerttest.NewAuthority(t), time.Now()
	v := verifier(t, ours.PEM, "*")
	all := chain(t, ours.Client(t, bank))
	for _, step := range []struct {
		at   time.Duration
		want proof.Result
	}{{0, proof.OK}, {30 * time.Minute, proof.OK}, {2 * time.Hour, Expired}, {-2 * time.Hour, Expired}, {0, proof.OK}} {
		if got := v.Presented(all, now.Add(step.at)); got != step.want {
			t.Errorf("after %s: %s, want %s", step.at, got, step.want)
		}
	}
	for i := range 2 * maxKnown {
		v.judge([32]byte{byte(i), byte(i >> 8), 1}, all, now)
	}
	if len(v.known) > maxKnown {
		t.Errorf("%d are remembered", len(v.known))
	}
}

// TestChainIsBounded: a client may not make us check more than a few certificates.
func TestChainIsBounded(t *testing.T) {
	ours := clientcerttest.NewAuthority(t)
	v := verifier(t, ours.PEM, "*")
	one := chain(t, ours.Client(t, bank))[0]
	var many []*x509.Certificate
	for range maxChain + 1 {
		many = append(many, one)
	}
	large := ours.Client(t, bank, func(c *x509.Certificate) {
		for range 1000 {
			c.DNSNames = append(c.DNSNames, "a.name.example")
		}
	})
	for name, presented := range map[string][]*x509.Certificate{"many": many, "large": chain(t, large)} {
		if got := v.Presented(presented, time.Now()); got != Malformed {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := v.PassedOn([]string{clientcerttest.RFC9440(large)}, time.Now()); got != Malformed {
		t.Errorf("large, in a header: %s", got)
	}
}

func TestSubjects(t *testing.T) {
	ours := clientcerttest.NewAuthority(t)
	c := chain(t, ours.Client(t, pkix.Name{
		CommonName: "pix.bank.example", Organization: []string{"Bank, S.A."}, OrganizationalUnit: []string{"Pix", "Webhooks"}, Country: []string{"BR"},
		ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "OFBBR-1234"}},
	}, func(c *x509.Certificate) { c.DNSNames = []string{"Pix.Bank.example", "*.wild.example"} }))
	for pattern, want := range map[string]bool{
		"*":                   true,
		"CN=pix.bank.example": true, "cn=pix.bank.example": true, "2.5.4.3=pix.bank.example": true,
		"CN=PIX.bank.example": false, "CN=pix.bank": false, "CN=*.bank.example": false, "CN=*": false,
		"OU=Webhooks": true, "OU=Pix,OU=Webhooks": true, "OU=Pix, C=BR": true, "OU=Pix,C=US": false,
		`O=Bank\, S.A.`: true, `O=Bank\, S.A.,CN=pix.bank.example`: true, "O=Bank": false,
		"organizationIdentifier=OFBBR-1234": true, "2.5.4.97=OFBBR-1234": true, "UID=OFBBR-1234": false,
		"dns:pix.bank.example": true, "dns:PIX.BANK.EXAMPLE": true, "dns:*.bank.example": true, "dns:*.example": false, "dns:bank.example": false,
		"dns:*.wild.example": true, "dns:a.wild.example": false, "dns:ix.bank.example": false,
	} {
		got := verifier(t, ours.PEM, pattern).Presented(c, time.Now())
		if (got == proof.OK) != want || got != proof.OK && got != Subject {
			t.Errorf("%s: %s", pattern, got)
		}
	}
	if got := verifier(t, ours.PEM, "CN=x", "dns:*.bank.example").Presented(c, time.Now()); got != proof.OK {
		t.Errorf("the second of two: %s", got)
	}
	// A name alone in the subject is no alternative name, nor the other way round.
	bare := chain(t, ours.Client(t, pkix.Name{CommonName: "pix.bank.example"}))
	if got := verifier(t, ours.PEM, "dns:pix.bank.example").Presented(bare, time.Now()); got != Subject {
		t.Errorf("a common name as a DNS name: %s", got)
	}
}

func TestNew(t *testing.T) {
	ours := clientcerttest.NewAuthority(t)
	key := clientcerttest.KeyPEM(t, ours.Client(t, bank))
	for name, tc := range map[string]struct {
		authorities []byte
		subjects    []string
	}{
		"no file":              {nil, []string{"*"}},
		"no PEM":               {[]byte("x"), []string{"*"}},
		"a key":                {append(key, ours.PEM...), []string{"*"}},
		"no certificate in it": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), []string{"*"}},
		"no subject":           {ours.PEM, nil},
		"empty":                {ours.PEM, []string{""}},
		"no attribute":         {ours.PEM, []string{"pix.bank.example"}},
		"unknown attribute":    {ours.PEM, []string{"XX=a"}},
		"no value":             {ours.PEM, []string{"CN="}},
		"an empty part":        {ours.PEM, []string{"CN=a,"}},
		"the second":           {ours.PEM, []string{"CN=a", "b"}},
		"no name":              {ours.PEM, []string{"dns:"}},
		"any name":             {ours.PEM, []string{"dns:*."}},
		"a star within":        {ours.PEM, []string{"dns:a.*.example"}},
		"a part of a label":    {ours.PEM, []string{"dns:a*.example"}},
	} {
		if _, err := New(tc.authorities, tc.subjects); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := New(append([]byte("subject=CN = Authority\n"), ours.PEM...), []string{"*"}); err != nil {
		t.Errorf("text before the PEM, as openssl writes it: %v", err)
	}
}

// TestHeaderForms: what is read of a header, and what is none.
func TestHeaderForms(t *testing.T) {
	ours := clientcerttest.NewAuthority(t)
	c := ours.Client(t, bank)
	v := verifier(t, ours.PEM, "*")
	encoded := base64.StdEncoding.EncodeToString(c.Certificate[0])
	escaped := clientcerttest.Escaped(c)
	for name, tc := range map[string]struct {
		lines []string
		want  proof.Result
	}{
		"RFC 9440":                   {[]string{":" + encoded + ":"}, proof.OK},
		"nginx":                      {[]string{escaped}, proof.OK},
		"AWS, which leaves some":     {[]string{strings.NewReplacer("%2B", "+", "%2F", "/", "%3D", "=").Replace(escaped)}, proof.OK},
		"none":                       {nil, Missing},
		"empty":                      {[]string{""}, Missing},
		"nothing between colons":     {[]string{"::"}, Missing},
		"two lines":                  {[]string{escaped, escaped}, Malformed},
		"an empty one and one":       {[]string{"", escaped}, Malformed},
		"no colon at the end":        {[]string{":" + encoded}, Malformed},
		"a colon":                    {[]string{":"}, Malformed},
		"with a parameter":           {[]string{":" + encoded + ":;a=1"}, Malformed},
		"with a line end":            {[]string{":" + encoded[:64] + "\r\n" + encoded[64:] + ":"}, Malformed},
		"bare base64":                {[]string{encoded}, Malformed},
		"PEM in base64":              {[]string{":" + base64.StdEncoding.EncodeToString(clientcerttest.PEM(c)) + ":"}, Malformed},
		"something behind it":        {[]string{":" + base64.StdEncoding.EncodeToString(append(c.Certificate[0][:len(c.Certificate[0]):len(c.Certificate[0])], 0)) + ":"}, Malformed},
		"two certificates":           {[]string{escaped + escaped}, Malformed},
		"something before it":        {[]string{"x%0A" + escaped}, Malformed},
		"another block":              {[]string{strings.ReplaceAll(escaped, "CERTIFICATE", "PUBLIC%20KEY")}, Malformed},
		"an escape that is none":     {[]string{escaped + "%zz"}, Malformed},
		"a hash":                     {[]string{"Hash=abc"}, Malformed},
		"larger than any":            {[]string{":" + strings.Repeat("A", maxHeader) + ":"}, Malformed},
		"escaped, and larger":        {[]string{escaped + strings.Repeat("%20", maxHeader/3)}, Malformed},
		"no certificate in the form": {[]string{":AAAA:"}, Malformed},
	} {
		if got := v.PassedOn(tc.lines, time.Now()); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

// FuzzHeader: whatever a header says is read or refused; what is read is a whole certificate
// of the bounded size, in one of two spellings, and says the same in the other one.
func FuzzHeader(f *testing.F) {
	ours := clientcerttest.NewAuthority(f)
	c := ours.Client(f, bank)
	for _, seed := range []string{"", "::", ":AAAA:", ":A:;a=1", "-----BEGIN CERTIFICATE-----", "-----BEGIN%20CERTIFICATE-----%0A", clientcerttest.RFC9440(c), clientcerttest.Escaped(c), string(clientcerttest.PEM(c))} {
		f.Add(seed)
	}
	v := verifier(f, ours.PEM, "*")
	f.Fuzz(func(t *testing.T, text string) {
		certificate, err := parseHeader(text)
		got := v.PassedOn([]string{text}, time.Now())
		if err != nil {
			if got != Missing && got != Malformed {
				t.Errorf("%q is read as nothing, and %s", text, got)
			}
			return
		}
		if len(certificate.Raw) > maxCertificate {
			t.Errorf("%d bytes", len(certificate.Raw))
		}
		again := tls.Certificate{Certificate: [][]byte{certificate.Raw}}
		for _, other := range []string{clientcerttest.RFC9440(again), clientcerttest.Escaped(again)} {
			if same, err := parseHeader(other); err != nil || !same.Equal(certificate) {
				t.Errorf("%q is another one as %q: %v", text, other, err)
			}
		}
		if got == proof.OK && certificate.CheckSignatureFrom(ours.Certificate) != nil {
			t.Errorf("%q counts, and the authority has not signed it", text)
		}
	})
}
