package guard

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

func TestForwardingDrops(t *testing.T) {
	for _, tc := range []struct {
		name    string
		in      map[string][]string
		want    []string // the keys left
		trusted bool
	}{
		{name: "plain", in: map[string][]string{"Content-Type": {"a"}, "X-Request-Id": {"b"}}, want: []string{"Content-Type", "X-Request-Id"}},
		{name: "identity", in: map[string][]string{"X-Tenant-Id": {"a"}, "X-Hookgate-Kind": {"a"}, "X-Hookgate-Anything-Later": {"a"}}},
		{name: "aliases", in: map[string][]string{"x-tenant-id": {"a"}, "X_TENANT_ID": {"a"}, "X.Tenant_Id": {"a"}, "x_hookgate.kind": {"a"}}},
		{name: "aliases with other joints", in: map[string][]string{"X-Tenant+Id": {"a"}, "x~tenant|id": {"a"}, "X!Hookgate*Kind": {"a"}, "X'Callback#Token": {"a"}}},
		{name: "nominated in another case", in: map[string][]string{"Connection": {"X-a"}, "x-A": {"a"}, "X-C": {"c"}}, want: []string{"X-C"}},
		{name: "token", in: map[string][]string{"X-Callback-Token": {"a"}, "X_Callback_Token": {"a"}, "X.callback-token": {"a"}}},
		{name: "authorization", in: map[string][]string{"Authorization": {"a"}, "AUTHORIZATION": {"b"}}},
		{name: "near misses stay",
			in:   map[string][]string{"X-Hookgate": {"a"}, "Authorization2": {"a"}, "X-Method": {"a"}},
			want: []string{"Authorization2", "X-Hookgate", "X-Method"}},
		{name: "another word for the tenant", in: map[string][]string{"X-Tenant": {"a"}, "X-Tenant-Id2": {"a"}, "X-TenantId": {"a"}, "Tenant-Id": {"a"}}},
		{name: "nominated", in: map[string][]string{"Connection": {"X-A, x-b"}, "X-A": {"a"}, "X-B": {"b"}, "X-C": {"c"}}, want: []string{"X-C"}},
		{name: "nominated in later lines", in: map[string][]string{"Connection": {"", "close", " X-A ,,"}, "X-A": {"a"}, "X-C": {"c"}}, want: []string{"X-C"}},
		{name: "nominates itself", in: map[string][]string{"Connection": {"connection"}, "X-C": {"c"}}, want: []string{"X-C"}},
		{name: "overriding the method or the path", trusted: true, in: map[string][]string{
			"X-Http-Method": {"DELETE"}, "X-HTTP-Method-Override": {"DELETE"}, "x_method_override": {"DELETE"}, "X-Original-Url": {"/a"}, "X.Rewrite.URL": {"/a"},
		}},
		{name: "forwarding from anybody", in: map[string][]string{
			"Forwarded": {"for=a"}, "X-Real-Ip": {"a"}, "X_Real_IP": {"a"}, "True-Client-Ip": {"a"}, "Cf-Connecting-Ip": {"a"}, "X-Forwarded": {"a"},
			"X-Forwarded-For": {"a"}, "X-Forwarded-Proto": {"a"}, "x_forwarded_host": {"a"}, "X-Forwarded-Anything": {"a"}, "X-Url-Scheme": {"a"},
			"X-Named-In-Config": {"a"}, "X_NAMED_in.config": {"a"}, "Content-Type": {"b"},
		}, want: []string{"Content-Type"}},
		{name: "forwarding from our proxy", trusted: true, in: map[string][]string{
			"Forwarded": {"for=a"}, "X-Real-Ip": {"a"}, "X-Forwarded-For": {"a"}, "X_FORWARDED_FOR": {"a"}, "X-Forwarded-Proto": {"a"}, "X-Forwarded-Host": {"a"},
			"X_Forwarded_Host": {"a"}, "X-Forwarded-Port": {"a"}, "X-Named-In-Config": {"a"},
		}, want: []string{"X-Forwarded-Host", "X-Forwarded-Proto"}},
		{name: "a change of protocol", in: map[string][]string{
			"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}, "Http2-Settings": {"a"}, "Content-Type": {"b"},
		}, want: []string{"Content-Type"}},
		{name: "a change of protocol that Connection does not name", in: map[string][]string{"Upgrade": {"h2c"}, "Http2-Settings": {"a"}}},
		{name: "passed by name", in: map[string][]string{"X-Device-User": {"a"}, "X_device_user": {"a"}, "X-Device-User-Name": {"a"}}, want: []string{"X-Device-User"}},
		{name: "the tenant passed by name", in: map[string][]string{"X-Device-Tenant": {"a"}, "X-Tenant-Id": {"a"}}, want: []string{"X-Device-Tenant"}},
		{name: "passed by name, and for this hop", in: map[string][]string{"X-Device-User": {"a"}, "Connection": {"x-device-user"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := Forwarding{tokenHeader: "X-Callback-Token", ThroughProxy: tc.trusted, named: []string{"X-Named-In-Config"}, pass: []string{"X-Device-User", "X-Device-Tenant"}}
			f.Apply(tc.in)
			if got := slices.Sorted(maps.Keys(tc.in)); !slices.Equal(got, tc.want) {
				t.Errorf("left %v, want %v", got, tc.want)
			}
		})
	}
}

func TestForwardingSaysWho(t *testing.T) {
	label := "Ação, Ltda\u00a0100%/x"
	for _, tc := range []struct {
		name     string
		identity keyring.Identity
		want     http.Header
	}{
		{"callback", keyring.Identity{Tenant: tenant, Kind: credential.KindCallback, Label: label}, http.Header{
			"X-Tenant-Id": {tenant.String()}, "X-Hookgate-Credential-Id": {callbackID.String()}, "X-Hookgate-Kind": {"callback"},
			"X-Hookgate-External-System": {"A%C3%A7%C3%A3o%2C%20Ltda%C2%A0100%25%2Fx"},
		}},
		{"callback without label", keyring.Identity{Tenant: tenant, Kind: credential.KindCallback}, http.Header{
			"X-Tenant-Id": {tenant.String()}, "X-Hookgate-Credential-Id": {callbackID.String()}, "X-Hookgate-Kind": {"callback"},
		}},
		{"webhook", webhookUser, http.Header{
			"X-Tenant-Id": {tenant.String()}, "X-Hookgate-Credential-Id": {callbackID.String()}, "X-Hookgate-Kind": {"webhook"},
			"X-Hookgate-Vendor": {"pluggy"}, "X-Hookgate-Connection": {"main"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := http.Header{}
			forwardingOf(t, &tc.identity).Apply(got)
			if !maps.EqualFunc(got, tc.want, slices.Equal) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// forwardingOf returns what is to be done to a request that is allowed to a callback's id.
func forwardingOf(t testing.TB, identity *keyring.Identity) *Forwarding {
	t.Helper()
	p := Policy{TokenHeader: "X-Callback-Token"}
	f, err := p.Forwarding(&Decision{Credential: callbackID, Identity: identity, route: new(Route)}, now)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestRestore: what stood between the guard and the upstream has no say in who the
// request comes from, and keeps what else it said.
func TestRestore(t *testing.T) {
	f := forwardingOf(t, &webhookUser)
	want := http.Header{"Authorization": {"Basic of the upstream"}}
	f.Apply(want)
	want.Set("Authorization", "Basic of the upstream")
	got := maps.Clone(want)
	delete(got, HeaderTenant)
	got[HeaderVendor], got[HeaderExternalSystem] = []string{"forged"}, []string{"forged"}
	f.Restore(got)
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// FuzzHeaders checks that whatever the client sends, the upstream gets every
// identity header exactly once and with our value.
func FuzzHeaders(f *testing.F) {
	f.Add("X-Tenant-Id", "forged", "Connection", "X-Tenant-Id")
	f.Add("x_tenant.id", "forged", "X-HOOKGATE-KIND", "api")
	f.Add("Connection", "a, X-Hookgate-Credential-Id", "X-Hookgate-Credential-Id", "b")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		header := map[string][]string{name1: {value1}, name2: {value2}}
		forwardingOf(t, &webhookUser).Apply(header)
		for _, want := range []struct{ name, value string }{
			{HeaderTenant, tenant.String()}, {HeaderCredentialID, callbackID.String()}, {HeaderKind, "webhook"},
			{HeaderVendor, "pluggy"}, {HeaderConnection, "main"},
		} {
			var values []string
			for name, v := range header {
				if isAlias(name, want.name) {
					values = append(values, v...)
				}
			}
			if !slices.Equal(values, []string{want.value}) {
				t.Fatalf("%s is %q", want.name, values)
			}
		}
		for name := range header {
			if isAlias(name, "X-Callback-Token") || isAlias(name, "Authorization") || isAlias(name, "Connection") {
				t.Fatalf("%q got through", name)
			}
		}
	})
}
