package vendors

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/go-github/v88/github"
	"github.com/slack-go/slack"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stripe/stripe-go/v85/webhook"
	svix "github.com/svix/svix-webhooks/go"
	twilio "github.com/twilio/twilio-go/client"
)

// goLibraries are those for Go. Their clock is that of the machine. Their names begin
// with "go ".
func goLibraries() []library {
	return []library{
		{
			name: "go stripe",
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
		standard("go standard-webhooks", "Webhook-", func(secret string) (standardWebhook, error) { return standardwebhooks.NewWebhook(secret) }),
		standard("go svix", "Svix-", func(secret string) (standardWebhook, error) { return svix.NewWebhook(secret) }),
		{
			name: "go github",
			verify: func(c call) error {
				return github.ValidateSignature(c.header.Get(github.SHA256SignatureHeader), []byte(c.body), []byte(c.secret))
			},
		},
		{
			name: "go slack",
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
			name: "go twilio",
			verify: func(c call) error {
				validator := twilio.NewRequestValidator(c.secret)
				if !validator.ValidateBody(c.url, []byte(c.body), c.header.Get("X-Twilio-Signature")) {
					return errors.New("not verified")
				}
				return nil
			},
		},
	}
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
