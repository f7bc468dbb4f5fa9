package vendors

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"code.gitea.io/sdk/gitea"
	"github.com/PagerDuty/go-pagerduty/webhookv3"
	"github.com/buildkite/go-buildkite/v4"
	"github.com/google/go-github/v88/github"
	"github.com/mailgun/mailgun-go/v4"
	"github.com/slack-go/slack"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stripe/stripe-go/v85/webhook"
	svix "github.com/svix/svix-webhooks/go"
	twilio "github.com/twilio/twilio-go/client"
)

// goLibraries are those for Go. Their clock is that of the machine. Their names are "Go "
// and the path of the module.
func goLibraries() []library {
	return []library{
		{
			name: "Go github.com/stripe/stripe-go/v85",
			sign: func(c call) (message, error) {
				signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{
					Payload: []byte(c.body), Secret: c.secret, Timestamp: c.at,
				})
				return c.with("Stripe-Signature", signed.Header), nil
			},
			verify: func(c call) error {
				return webhook.ValidatePayload([]byte(c.body), c.header.Get("Stripe-Signature"), c.secret)
			},
		},
		standard("Go github.com/standard-webhooks/standard-webhooks/libraries", "Webhook-", func(secret string) (standardWebhook, error) { return standardwebhooks.NewWebhook(secret) }),
		standard("Go github.com/svix/svix-webhooks", "Svix-", func(secret string) (standardWebhook, error) { return svix.NewWebhook(secret) }),
		{
			name: "Go github.com/google/go-github/v88",
			verify: func(c call) error {
				return github.ValidateSignature(c.header.Get(github.SHA256SignatureHeader), []byte(c.body), []byte(c.secret))
			},
		},
		{
			name: "Go github.com/slack-go/slack",
			verify: func(c call) error {
				verifier, err := slack.NewSecretsVerifier(c.header, c.secret)
				if err != nil {
					return err
				}
				if _, err := verifier.Write([]byte(c.body)); err != nil {
					return err
				}
				return verifier.Ensure()
			},
		},
		{
			name: "Go github.com/twilio/twilio-go",
			verify: func(c call) error {
				validator := twilio.NewRequestValidator(c.secret)
				return verified(validator.ValidateBody(c.url, []byte(c.body), c.header.Get("X-Twilio-Signature")), nil)
			},
		},
		{
			name: "Go code.gitea.io/sdk/gitea",
			verify: func(c call) error {
				return verified(gitea.VerifyWebhookSignature(c.secret, c.header.Get("X-Gitea-Signature"), []byte(c.body)))
			},
		},
		{
			name:   "Go github.com/PagerDuty/go-pagerduty",
			verify: func(c call) error { return webhookv3.VerifySignature(c.request(), c.secret) },
		},
		{
			name: "Go github.com/buildkite/go-buildkite/v4",
			verify: func(c call) error {
				_, err := buildkite.ValidatePayload(c.request(), []byte(c.secret))
				return err
			},
		},
		{
			name: "Go github.com/mailgun/mailgun-go/v4",
			verify: func(c call) error {
				var event mailgun.WebhookPayload
				if err := json.Unmarshal([]byte(c.body), &event); err != nil {
					return err
				}
				client := mailgun.NewMailgun("example.com", "key")
				client.SetWebhookSigningKey(c.secret)
				return verified(client.VerifyWebhookSignature(event.Signature))
			},
		},
	}
}

// verified is what a library said that tells a refusal from an error.
func verified(ok bool, err error) error {
	if err == nil && !ok {
		return errors.New("not verified")
	}
	return err
}

// request returns the message of a call as a server has it.
func (c call) request() *http.Request {
	r := httptest.NewRequest(c.method, c.url, strings.NewReader(c.body))
	r.Header = c.header.Clone()
	return r
}

// standardWebhook is what two libraries have in common.
type standardWebhook interface {
	Sign(id string, at time.Time, body []byte) (string, error)
	Verify(body []byte, header http.Header) error
}

// standard returns one of them. The names of its headers begin with prefix.
func standard(name, prefix string, open func(secret string) (standardWebhook, error)) library {
	return library{
		name: name,
		sign: func(c call) (message, error) {
			hook, err := open(c.secret)
			if err != nil {
				return message{}, err
			}
			signature, err := hook.Sign(c.id, c.at, []byte(c.body))
			return c.with(prefix+"Id", c.id, prefix+"Timestamp", strconv.FormatInt(c.at.Unix(), 10), prefix+"Signature", signature), err
		},
		verify: func(c call) error {
			hook, err := open(c.secret)
			if err != nil {
				return err
			}
			return hook.Verify([]byte(c.body), c.header)
		},
	}
}

// with returns the message of a call with more headers, names and values in turn.
func (c call) with(pairs ...string) message {
	signed := c.message.clone()
	for i := 0; i < len(pairs); i += 2 {
		signed.header.Set(pairs[i], pairs[i+1])
	}
	return signed
}
