package caddymodule

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/encoder"
	"github.com/hookgate/hookgate/caddymodule/handlers"
	"github.com/hookgate/hookgate/caddymodule/listener"
)

// parsed unmarshals a block and returns it as JSON.
func parsed(t *testing.T, u caddyfile.Unmarshaler, text string) (string, error) {
	t.Helper()
	if err := u.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err != nil {
		return "", err
	}
	out, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), nil
}

func TestAppCaddyfile(t *testing.T) {
	for text, want := range map[string]string{
		`hookgate {
			redis redis://localhost
		}`: `{"redis":{"urls":["redis://localhost"]}}`,
		`hookgate {
			redis embedded /var/lib/hookgate
			namespace a
			max_staleness 1m
			usage_flush 500ms
			quota 20
		}`: `{"redis":{"embedded":"/var/lib/hookgate"},"namespace":"a","max_staleness":60000000000,"usage_flush":500000000,"quota":20}`,
		`hookgate {
			redis cluster redis://a redis://b {
				username u
				password_file /p
			}
			wait_replicas 2
			audit_keep 1000 90d
			quota off
			seal_key {file./run/secrets/seal} {env.OLD}
			held_bodies 1MiB
		}`: `{"redis":{"topology":"cluster","urls":["redis://a","redis://b"],"username":"u","password_file":"/p"},"wait_replicas":2,"audit_keep":1000,"audit_life":7776000000000000,` +
			`"seal_key":["{file./run/secrets/seal}","{env.OLD}"],"held_bodies":1048576,"quota":-1}`,
		`hookgate {
			redis sentinel main rediss://a rediss://b
			sentinel_password p
			tls_ca ca.pem
		}`: `{"redis":{"topology":"sentinel","urls":["rediss://a","rediss://b"],"master":"main","sentinel_password":"p","tls_ca":"ca.pem"}}`,
		`hookgate`: `{}`,
	} {
		got, err := parsed(t, new(app.App), text)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"hookgate x", "redis", "redis a b", "redis embedded", "redis embedded a b", "redis cluster", "redis sentinel a", "redis a {\nnonsense x\n}", "redis a {\nusername\n}", "redis a {\nusername b\n}\nusername c", "wait_replicas x", "wait_replicas -1", "namespace", "namespace a b",
		`namespace ""`, "max_staleness", "max_staleness x", "max_staleness -1s", "max_staleness 0s", "usage_flush 1s 2s", "wait_replicas",
		"audit_keep", "audit_keep 1", "audit_keep 0 1d", "audit_keep 1 0s", "audit_keep x 1d", "audit_keep 1 x", "audit_keep 1 1d 2", "quota", "quota 0", "quota -1", "quota x", "quota off off", "nonsense", "seal_key", "seal_key a\nseal_key b", "held_bodies", "held_bodies x", "held_bodies 0", "namespace a\nnamespace b",
	} {
		if !strings.HasPrefix(text, "hookgate") {
			text = "hookgate {\n" + text + "\n}"
		}
		if got, err := parsed(t, new(app.App), text); err == nil {
			t.Errorf("%s was accepted as %s", text, got)
		}
	}
}

func TestGuardCaddyfile(t *testing.T) {
	for text, want := range map[string]string{
		"hookgate": `{}`,
		`hookgate {
			token_header X-Token
			callback /a/{exceptionId}
			callback /b/{exceptionId}
			webhook /c/{vendor}/{token}
			max_body 2KiB
		}`: `{"token_header":"X-Token","callback":["/a/{exceptionId}","/b/{exceptionId}"],"webhook":["/c/{vendor}/{token}"],"max_body":2048}`,
		`hookgate {
			callback /a/{exceptionId} -> /b/{exceptionId}
			webhook /c/{vendor}/{token} -> /d/{vendor}/{connection}
			idempotency_key body
			forward_token
			pass_headers X-Device-User X-Host
			assert_jwt {
				algorithm HS512
				secret {env.S}
				ttl 30s
				issuer i
				audience a
				claim type application
				claim owner o
			}
		}`: `{"callback":["/a/{exceptionId}"],"webhook":["/c/{vendor}/{token}"],` +
			`"upstreams":{"/a/{exceptionId}":"/b/{exceptionId}","/c/{vendor}/{token}":"/d/{vendor}/{connection}"},"forward_token":true,` +
			`"assert_jwt":{"algorithm":"HS512","secret":"{env.S}","ttl":30000000000,"issuer":"i","audience":"a","claims":{"owner":"o","type":"application"}},` +
			`"idempotency_key":"body","pass_headers":["X-Device-User","X-Host"]}`,
		`hookgate {
			vendor belvo {
				allow_ips 3.130.254.46 10.0.0.0/8
			}
			vendor acme {
				signature X-Signature {env.NEW} {env.OLD}
				allow_ips ::1
			}
			failure_limit 5 30s
		}`: `{"vendors":{"acme":{"allow_ips":["::1"],"signature":{"header":"X-Signature","secrets":["{env.NEW}","{env.OLD}"]}},` +
			`"belvo":{"allow_ips":["3.130.254.46","10.0.0.0/8"]}},"failure_limit":{"failures":5,"window":30000000000}}`,
		`hookgate {
			public_url https://hooks.example.com
			vendor stripe {
				verify {
					signature header X-A pairs , = v1
					timestamp pair t
					signed "{timestamp}.{body}"
					tolerance 2m
					secret {env.A} {env.B}
				}
				verify {
					signature header X-B
					secret {env.C}
				}
				client_cert {
					ca /ca.pem
					subject CN=a dns:*.b
					from_header X-Client-Cert
				}
				require any
				allow_ips ::1
				enforce off
				replay 10m
				challenge meta {env.T}
				success 200 "[accepted]"
			}
		}`: `{"public_url":"https://hooks.example.com","vendors":{"stripe":{"allow_ips":["::1"],"verify":[` +
			`{"scheme":{"signature":{"header":["X-A"],"form":"pairs","separator":",","assign":"=","keys":["v1"]},"signed":"{timestamp}.{body}","timestamp":{"pair":"t"},"tolerance":"2m"},"secrets":["{env.A}","{env.B}"]},` +
			`{"scheme":{"signature":{"header":["X-B"]}},"secrets":["{env.C}"]}],"client_cert":{"ca":"/ca.pem","subject":["CN=a","dns:*.b"],"from_header":"X-Client-Cert"},"require":"any","enforce":"off","replay":600000000000,` +
			`"challenge":{"kind":"meta","secret":"{env.T}"},"success":{"status":200,"body":"[accepted]"}}}}`,
		"hookgate {\nvendor a {\nverify github {env.A}\nenforce on\nreplay off\nrequire all\nsuccess 202\nchallenge echo query x\n}\n}": `{"vendors":{"a":{"verify":[{"preset":"github","secrets":["{env.A}"]}],"require":"all","enforce":"on","challenge":{"kind":"echo","echo":{"query":"x"}},"success":{"status":202}}}}`,
		`hookgate {
			matcher 2 {
				jwt_secret {env.S}
				tenant dashless
				tenants a b
				subject s
			}
		}`: `{"matcher":{"version":"2","jwt_secret":"{env.S}","tenant":"dashless","tenants":["a","b"],"subject":"s"}}`,
		"hookgate {\nmatcher 4\n}":         `{"matcher":{"version":"4"}}`,
		"hookgate {\nfailure_limit off\n}": `{"failure_limit":{"off":true}}`,
		`hookgate {
			api /partners/* products:read orders:read
			api /ping
		}`: `{"api":[{"path":"/partners/*","scopes":["products:read","orders:read"]},{"path":"/ping"}]}`,
	} {
		got, err := parsed(t, new(handlers.Guard), text)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"hookgate x", "token_header", "token_header a b", "callback", "callback /a ->", "callback /a /b", "callback /a > /b", "callback /a -> /b /c", "callback /a -> /b\ncallback /a -> /c", "webhook", "webhook /a ->", "max_body", "max_body x", "max_body 0",
		"max_body -1", "max_body 99999999999999999999", "max_body 1\nmax_body 2", "token_header a\ntoken_header b", "vendor belvo {\n}", "vendor belvo", "vendor",
		"vendor a b {\nallow_ips ::1\n}", "vendor a {\nallow_ips\n}", "vendor a {\nsignature X\n}", "vendor a {\nsignature\n}",
		"vendor a {\nallow_ips ::1\nallow_ips ::2\n}", "vendor a {\nsignature X a\nsignature Y b\n}", "vendor a {\nnonsense x\n}",
		"vendor a {\nverify\n}", "vendor a {\nverify github\n}", "vendor a {\nverify {\n}\n}", "vendor a {\nverify {\nsignature header X\n}\n}", "vendor a {\nverify {\nsecret x\n}\n}",
		"vendor a {\nverify {\nnonsense x\nsecret x\n}\n}", "vendor a {\nrequire\n}", "vendor a {\nrequire both\n}", "vendor a {\nenforce 1\n}", "vendor a {\nreplay\n}", "vendor a {\nreplay x\n}",
		"vendor a {\nclient_cert x\n}", "vendor a {\nclient_cert {\nca\n}\n}", "vendor a {\nclient_cert {\nsubject\n}\n}", "vendor a {\nclient_cert {\nca a\nca b\n}\n}", "vendor a {\nclient_cert {\nnonsense x\n}\n}",
		"vendor a {\nreplay off\n}", "vendor a {\nchallenge\n}", "vendor a {\nchallenge duel\n}", "vendor a {\nchallenge meta\n}", "vendor a {\nsuccess\n}", "vendor a {\nsuccess 302\n}", "vendor a {\nsuccess 200 a b\n}",
		"public_url", "public_url a b",
		"vendor a {\nallow_ips ::1\n}\nvendor a {\nallow_ips ::1\n}", "failure_limit", "failure_limit 5", "failure_limit 5 1m 2", "failure_limit on",
		"failure_limit 0 1m", "failure_limit -1 1m", "failure_limit x 1m", "failure_limit 5 x", "failure_limit 5 0s", "failure_limit off off",
		"failure_limit off\nfailure_limit off",
		"matcher", "matcher {\n}", "matcher 3", "matcher 2 4", "matcher 2 {\nnonsense x\n}", "matcher 2 {\ntenant\n}", "matcher 2 {\ntenants\n}", "matcher 4\nmatcher 4",
		"api", "api {\n}", "api /a {\nscope x\n}",
		"forward_token on", "forward_token\nforward_token", "pass_headers", "pass_headers A\npass_headers B", "idempotency_key", "idempotency_key body body", "idempotency_key body\nidempotency_key body",
		"assert_jwt x", "assert_jwt {\nnonsense x\n}", "assert_jwt {\nsecret\n}", "assert_jwt {\nsecret a\nsecret b\n}", "assert_jwt {\nttl x\n}", "assert_jwt {\nttl 0s\n}",
		"assert_jwt {\nttl 1m\nttl 2m\n}", "assert_jwt {\nclaim a\n}", "assert_jwt {\nclaim a b\nclaim a c\n}", "assert_jwt {\nsecret a\n}\nassert_jwt {\nsecret a\n}",
		"nonsense x",
	} {
		if !strings.HasPrefix(text, "hookgate") {
			text = "hookgate {\n" + text + "\n}"
		}
		if got, err := parsed(t, new(handlers.Guard), text); err == nil {
			t.Errorf("%s was accepted as %s", text, got)
		}
	}
}

func TestAdminCaddyfile(t *testing.T) {
	for text, want := range map[string]string{
		`hookgate_admin {
			public_url https://a.example insecure
			jwt {
				secret s
				algorithms HS256 HS512
				issuer i
				audience a
				tenant_claims t u
				roles_claims r
				default_role viewer
				default_tenant x
			}
			connections static a b
		}`: `{"public_url":"https://a.example","public_url_insecure":true,"jwt":{"secret":"s","algorithms":["HS256","HS512"],"issuer":"i",` +
			`"audience":"a","tenant_claims":["t","u"],"roles_claims":["r"],"default_role":"viewer","default_tenant":"x"},"connections":{"static":["a","b"]}}`,
		`hookgate_admin {
			jwt {
				secret s
				secret t
				audience a b
				audience c
				role_map "All Staff" viewer
				role_map f1b6b9a0 admin
			}
		}`: `{"jwt":{"secret":["s","t"],"audience":["a","b","c"],"role_map":{"All Staff":"viewer","f1b6b9a0":"admin"}}}`,
		`hookgate_admin {
			jwt {
				jwks_url https://i/jwks
				tls_ca ca.pem
				bearer_token_file /var/run/token
				public_key_file a.pem
				public_key_file b.pem
			}
		}`: `{"jwt":{"jwks_url":"https://i/jwks","tls_ca":"ca.pem","bearer_token_file":"/var/run/token","public_key_file":["a.pem","b.pem"]}}`,
		`hookgate_admin {
			connections matcher http://m
		}`: `{"connections":{"matcher":"http://m"}}`,
		`hookgate_admin {
			connections matcher {env.MATCHER_URL} 500ms
		}`: `{"connections":{"matcher":"{env.MATCHER_URL}","timeout":500000000}}`,
		`hookgate_admin {
			connections matcher https://m 1s {
				tls_ca ca.pem
			}
		}`: `{"connections":{"matcher":"https://m","tls_ca":"ca.pem","timeout":1000000000}}`,
		`hookgate_admin {
			mirror http://m
		}`: `{"mirror":{"url":"http://m"}}`,
		`hookgate_admin {
			mirror {env.MATCHER_URL} 2s {
				tls_ca ca.pem
			}
		}`: `{"mirror":{"url":"{env.MATCHER_URL}","tls_ca":"ca.pem","timeout":2000000000}}`,
		`hookgate_admin {
			public_url https://a.example
			connections any
		}`: `{"public_url":"https://a.example","connections":{"any":true}}`,
	} {
		got, err := parsed(t, new(handlers.Admin), text)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"public_url", "public_url a b", "public_url a insecure c", "connections", "connections some", "connections any b", "connections static",
		"connections matcher", "connections matcher http://m x", "connections matcher http://m 0s", "connections matcher http://m 1s 2s", "connections matcher https://m {\ntls_ca\n}", "connections matcher https://m {\nnonsense x\n}", "jwt x", "jwt {\nsecret\n}", "jwt {\nsecret a b\n}", "jwt {\nalgorithms\n}", "jwt {\nrole_map a\n}", "jwt {\nrole_map a b c\n}", "jwt {\nrole_map a viewer\nrole_map a admin\n}", "jwt {\naudience\n}", "jwt {\ntls_ca\n}", "jwt {\nbearer_token_file a b\n}",
		"jwt {\nnonsense x\n}", "connections any\nconnections any", "nonsense",
		"mirror", "mirror http://m x", "mirror http://m 0s", "mirror http://m 1s 2s", "mirror http://m\nmirror http://n", "mirror https://m {\ntls_ca\n}", "mirror https://m {\nnonsense x\n}",
	} {
		if got, err := parsed(t, new(handlers.Admin), "hookgate_admin {\n"+text+"\n}"); err == nil {
			t.Errorf("%s was accepted as %s", text, got)
		}
	}
}

func TestWordsWithoutArguments(t *testing.T) {
	for _, u := range []caddyfile.Unmarshaler{new(handlers.Status), new(encoder.Encoder), new(listener.Listener)} {
		if _, err := parsed(t, u, "hookgate"); err != nil {
			t.Errorf("%T: %v", u, err)
		}
		for _, text := range []string{"hookgate x", "hookgate {\nx\n}"} {
			if _, err := parsed(t, u, text); err == nil {
				t.Errorf("%T: %s was accepted", u, text)
			}
		}
	}
}

func TestJWTCaddyfile(t *testing.T) {
	for text, want := range map[string]string{
		"jwt {\njwks_url https://idp.example/jwks\nalgorithms RS256 ES256\nmax_ttl 8h\n}": `{"jwt":{"jwks_url":"https://idp.example/jwks","algorithms":["RS256","ES256"],"max_ttl":28800000000000}}`,
		"jwt {\njwks_url http://idp/jwks insecure\n}":                                     `{"jwt":{"jwks_url":"http://idp/jwks","jwks_insecure":true}}`,
		"jwt {\npublic_key_file /run/key.pem\n}":                                          `{"jwt":{"public_key_file":"/run/key.pem"}}`,
		"jwt {\nsecret s\nmax_ttl 2d\n}":                                                  `{"jwt":{"secret":"s","max_ttl":172800000000000}}`,
		"rate_limit off":                                                                  `{"rate_limit":{"off":true}}`,
		"rate_limit 5":                                                                    `{"rate_limit":{"per_second":5}}`,
		"rate_limit 5 50":                                                                 `{"rate_limit":{"per_second":5,"burst":50}}`,
	} {
		if got, err := parsed(t, new(handlers.Admin), "hookgate_admin {\n"+text+"\n}"); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"jwt {\njwks_url\n}", "jwt {\njwks_url a b\n}", "jwt {\njwks_url a insecure b\n}", "jwt {\njwks_url a\njwks_url b\n}",
		"jwt {\npublic_key_file\n}", "jwt {\npublic_key_file a b\n}", "jwt {\nissuer a\nissuer a\n}", "jwt {\nroles_claims a\nroles_claims b\n}",
		"jwt {\nmax_ttl\n}", "jwt {\nmax_ttl x\n}", "jwt {\nmax_ttl 0\n}", "jwt {\nmax_ttl -1h\n}", "jwt {\nmax_ttl 1h 2h\n}",
		"rate_limit", "rate_limit 0", "rate_limit -1", "rate_limit x", "rate_limit 1.5", "rate_limit 1 0", "rate_limit 1 2 3", "rate_limit off 1",
		"rate_limit 1\nrate_limit 2",
	} {
		if got, err := parsed(t, new(handlers.Admin), "hookgate_admin {\n"+text+"\n}"); err == nil {
			t.Errorf("%s was accepted as %s", text, got)
		}
	}
}
