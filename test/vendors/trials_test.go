package vendors

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// trial is a preset, a library that knows the vendor, and a request.
type trial struct {
	preset, library string
	about           string // tells trials of one library apart
	secret, other   key
	url, body       string
	header          map[string]string
	// moves has another header for that which we sign with, where the vendor has two.
	moves map[string]string
	// changes are what the vendor's proof covers, each altered.
	changes []change
	// leaves are what it does not cover, and whoever sees a request can alter.
	leaves []change
}

func (tr trial) name() string {
	return strings.TrimSpace(tr.preset + " " + tr.library + " " + tr.about)
}

// key is a secret. Where the vendor has a key pair it signs with the private half.
type key struct{ verifies, signs string }

// text is a secret that both sides have.
func text(secret string) key { return key{secret, secret} }

// change alters one thing in a request.
type change struct {
	name  string
	alter func(*message)
}

// of returns a message with the change.
func (c change) of(t *testing.T, m message) message {
	t.Helper()
	changed := m.clone()
	c.alter(&changed)
	if reflect.DeepEqual(changed, m) {
		t.Fatalf("%s is as it was", c.name)
	}
	return changed
}

const (
	publicURL = "https://hooks.example.com"
	post      = publicURL + "/v1/discovery/webhooks/hgw_0aB-c?tenant=a%20b&data.id=ORD01JQ4S4K"
	// A body is text that an encoder writes in more than one way.
	body = `{"id": "evt_1", "amount": 1200, "note": "ação €/\u002f"}` + "\n"
	// Some libraries serialise an event anew.
	compact = `{"event":"meeting.started","event_ts":1,"payload":{"account_id":"a1","object":{"topic":"ação €"}}}`
	// The vendor fills in what is empty.
	mailgunEvent = `{"signature":{"timestamp":"","token":"","signature":""},"event-data":{"id":"1","event":"delivered"}}`
	// What is signed need not be text.
	octets = "1\xff\xfe\x00\r\n{}"
	form   = "To=%2B5511999990000&Body=ol%C3%A1+mundo&MediaUrl=b&From=%2B14155550100&Empty="
)

// eachTrial runs all, each at its time: the clock of the libraries for Go cannot be set.
func eachTrial(t *testing.T, run func(t *testing.T, tr trial, at time.Time)) {
	for i, tr := range trials(t, time.Now()) {
		t.Run(tr.name(), func(t *testing.T) {
			at := time.Now().Truncate(time.Second)
			run(t, trials(t, at)[i], at)
		})
	}
}

// trials returns all, for requests that are signed at a time.
func trials(t *testing.T, at time.Time) []trial {
	t.Helper()
	ms := strconv.FormatInt(at.UnixMilli(), 10)
	whsec := text("whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of 24 bytes ...")))
	otherWhsec := text("whsec_" + base64.StdEncoding.EncodeToString([]byte("another one of 24 bytes.")))
	secret, other := text("8f742231b10e8888abcd99yyyzzz85a5"), text("8f742231b10e8888abcd99yyyzzz85a6")
	hexKey, otherHexKey := text("44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"), text("44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA057")
	discord, otherDiscord := ed25519Key("a", hex.EncodeToString), ed25519Key("b", hex.EncodeToString)
	telnyx, otherTelnyx := ed25519Key("a", base64.StdEncoding.EncodeToString), ed25519Key("b", base64.StdEncoding.EncodeToString)
	sendgrid, otherSendgrid := p256Key(t, "a"), p256Key(t, "b")
	stark, otherStark := storedKey(t, "stark"), storedKey(t, "other")
	linear := fmt.Sprintf(`{"action":"create","type":"Issue","webhookTimestamp":%s}`, ms)
	bodySum := sha256.Sum256([]byte(body))
	summed := post + "&bodySHA256=" + hex.EncodeToString(bodySum[:])
	formType := map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}

	standardChanges := func(prefix string) []change {
		return []change{changeBody, changeHeader(prefix + "-Id"), laterBySecond(prefix + "-Timestamp")}
	}
	stripeChanges := []change{changeBody, laterBySecond("Stripe-Signature")}
	slackChanges := []change{changeBody, laterBySecond("X-Slack-Request-Timestamp")}
	twilioFormChanges := []change{changeQuery, changePath, changeHost, {"a field", replaceBody("ol%C3%A1", "ol%C3%A0")}, {"a field more", replaceBody("To=", "A=1&To=")}, {"a field less", replaceBody("&From=%2B14155550100", "")}}
	twilioJSONChanges := []change{changeQuery, changePath, changeHost, changeBody, {"bodySHA256", func(m *message) {
		m.body += " "
		sum := sha256.Sum256([]byte(m.body))
		before, _, _ := strings.Cut(m.url, "bodySHA256=")
		m.url = before + "bodySHA256=" + hex.EncodeToString(sum[:])
	}}}
	shopify := map[string]string{
		"Content-Type": "application/json", "X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": "a.myshopify.com",
		"X-Shopify-Api-Version": "2026-10", "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
	}
	shopifyEvents := map[string]string{
		"Content-Type": "application/json", "Shopify-Topic": "Product", "Shopify-Shop-Domain": "a.myshopify.com", "Shopify-Api-Version": "2026-10",
		"Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", "Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
	}
	mercadoPago := map[string]string{"X-Request-Id": "bb56a2f1-6aae-46ac-982e-9dcd3581d08e"}
	onlyBody := []change{changeBody}

	return []trial{
		{preset: "standard-webhooks", library: "npm standardwebhooks", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Webhook")},
		{preset: "standard-webhooks", library: "Go github.com/standard-webhooks/standard-webhooks/libraries", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Webhook")},
		{preset: "standard-webhooks", library: "Go github.com/standard-webhooks/standard-webhooks/libraries", about: "octets", secret: whsec, other: otherWhsec, body: octets, changes: standardChanges("Webhook")},
		{preset: "svix", library: "npm svix", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Svix")},
		{preset: "svix", library: "Go github.com/svix/svix-webhooks", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Svix")},
		{preset: "openai", library: "npm openai", about: "whsec", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Webhook")},
		{preset: "openai", library: "npm openai", about: "text", secret: secret, other: other, body: body, changes: standardChanges("Webhook")},
		{preset: "polar", library: "npm @polar-sh/sdk", about: "text", secret: secret, other: other, body: body, changes: standardChanges("Webhook")},
		{preset: "polar", library: "npm @polar-sh/sdk", about: "whsec", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Webhook")},
		{preset: "replicate", library: "npm replicate", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Webhook")},
		{preset: "stripe", library: "npm stripe", secret: whsec, other: otherWhsec, body: body, changes: stripeChanges},
		{preset: "stripe", library: "Go github.com/stripe/stripe-go/v85", secret: whsec, other: otherWhsec, body: body, changes: stripeChanges},
		{preset: "stripe", library: "Go github.com/stripe/stripe-go/v85", about: "octets", secret: whsec, other: otherWhsec, body: octets, changes: stripeChanges},
		{preset: "github", library: "npm @octokit/webhooks-methods", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "github", library: "Go github.com/google/go-github/v88", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "github", library: "Go github.com/google/go-github/v88", about: "octets", secret: secret, other: other, body: octets, changes: onlyBody},
		{preset: "shopify", library: "npm @shopify/shopify-api", secret: secret, other: other, body: body, header: shopify, changes: onlyBody},
		{preset: "shopify", library: "npm @shopify/shopify-api", about: "events", secret: secret, other: other, body: body, header: shopifyEvents,
			moves: map[string]string{"X-Shopify-Hmac-Sha256": "Shopify-Hmac-Sha256"}, changes: onlyBody},
		{preset: "slack", library: "npm @slack/bolt", secret: secret, other: other, body: body, changes: slackChanges},
		{preset: "slack", library: "Go github.com/slack-go/slack", secret: secret, other: other, body: body, changes: slackChanges},
		{preset: "twilio", library: "npm twilio", about: "form", secret: secret, other: other, body: form, header: formType, changes: twilioFormChanges},
		{preset: "twilio", library: "npm twilio", about: "repeated field", secret: secret, other: other, body: form + "&MediaUrl=a&MediaUrl=b", header: formType, changes: twilioFormChanges},
		{preset: "twilio", library: "npm twilio", about: "JSON", secret: secret, other: other, url: summed, body: body, changes: twilioJSONChanges},
		{preset: "twilio", library: "Go github.com/twilio/twilio-go", about: "form", secret: secret, other: other, body: form, header: formType, changes: twilioFormChanges},
		{preset: "twilio", library: "Go github.com/twilio/twilio-go", about: "JSON", secret: secret, other: other, url: summed, body: body, changes: twilioJSONChanges},
		{preset: "adyen", library: "npm @adyen/api-library", secret: hexKey, other: otherHexKey, body: body, changes: onlyBody},
		{preset: "adyen-standard", library: "npm @adyen/api-library", secret: hexKey, other: otherHexKey, body: adyenBatch, changes: adyenChanges,
			leaves: []change{{"the card", replaceBody("12/2030", "12/2031")}, {"live", replaceBody(`"live":"false"`, `"live":"true"`)}}},
		{preset: "square", library: "npm square", secret: secret, other: other, body: body, changes: []change{changeBody, changeQuery, changePath, changeHost}},
		{preset: "linear", library: "npm @linear/sdk", secret: secret, other: other, body: linear, changes: []change{
			{"the body", replaceBody("Issue", "Comment")}, {"the time in the body", replaceBody(ms, strconv.FormatInt(at.UnixMilli()+1000, 10))},
		}},
		{preset: "paddle", library: "npm @paddle/paddle-node-sdk", secret: secret, other: other, body: body, changes: []change{changeBody, laterBySecond("Paddle-Signature")}},
		{preset: "mercadopago", library: "npm mercadopago", secret: secret, other: other, body: body, header: mercadoPago, changes: []change{
			laterBySecond("X-Signature"), changeHeader("X-Request-Id"), {"data.id", func(m *message) { m.url = strings.Replace(m.url, "ORD01", "ORD02", 1) }},
		}, leaves: onlyBody},
		{preset: "mercadopago", library: "npm mercadopago", about: "without a request id", secret: secret, other: other, body: body, changes: []change{
			laterBySecond("X-Signature"), {"a request id", func(m *message) { m.header.Set("X-Request-Id", "a") }},
		}},
		{preset: "hubspot", library: "npm @hubspot/api-client", secret: secret, other: other, body: body, changes: []change{
			changeBody, changeQuery, changePath, changeHost, laterBySecond("X-Hubspot-Request-Timestamp"),
			{"the method", func(m *message) { m.method = http.MethodPut }},
		}},
		{preset: "hubspot-v1", library: "npm @hubspot/api-client", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "hubspot-v2", library: "npm @hubspot/api-client", secret: secret, other: other, body: body, changes: []change{
			changeBody, changeQuery, changePath, changeHost, {"the method", func(m *message) { m.method = http.MethodPut }},
		}},
		{preset: "discord", library: "npm discord-interactions", secret: discord, other: otherDiscord, body: body, changes: []change{changeBody, laterBySecond("X-Signature-Timestamp")}},
		{preset: "telnyx", library: "npm telnyx", secret: telnyx, other: otherTelnyx, body: body, changes: []change{changeBody, laterBySecond("Telnyx-Timestamp")}},
		{preset: "sendgrid", library: "npm @sendgrid/eventwebhook", secret: sendgrid, other: otherSendgrid, body: body, changes: []change{changeBody, laterBySecond("X-Twilio-Email-Event-Webhook-Timestamp")}},
		{preset: "stark", library: "npm starkbank-ecdsa", secret: stark, other: otherStark, body: body, changes: onlyBody},
		{preset: "fintoc", library: "npm fintoc", secret: whsec, other: otherWhsec, body: body, changes: []change{changeBody, laterBySecond("Fintoc-Signature")}},
		{preset: "razorpay", library: "npm razorpay", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "gocardless", library: "npm gocardless-nodejs", secret: secret, other: other, body: `{"events":[{"id":"EV1"}],"meta":{}}`, changes: onlyBody},
		{preset: "modern-treasury", library: "npm modern-treasury", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "coinbase-commerce", library: "npm coinbase-commerce-node", secret: secret, other: other, body: `{"id":1,"event":{"id":"24934862-d980-46cb-9402-43c81b0cdba6"}}`, changes: onlyBody},
		{preset: "pagarme", library: "npm pagarme", secret: secret, other: other, body: "id=1&event=transaction_status_changed", header: formType, changes: onlyBody},
		{preset: "clerk", library: "npm @clerk/backend", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Svix")},
		{preset: "resend", library: "npm resend", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Svix")},
		{preset: "lithic", library: "npm lithic", secret: whsec, other: otherWhsec, body: body, changes: standardChanges("Webhook")},
		{preset: "elevenlabs", library: "npm @elevenlabs/elevenlabs-js", secret: secret, other: other, body: body, changes: []change{changeBody, laterBySecond("Elevenlabs-Signature")}},
		{preset: "mux", library: "npm @mux/mux-node", secret: secret, other: other, body: body, changes: []change{changeBody, laterBySecond("Mux-Signature")}},
		{preset: "sanity", library: "npm @sanity/webhook", secret: secret, other: other, body: body, changes: []change{changeBody, laterBySecond("Sanity-Webhook-Signature")}},
		{preset: "workos", library: "npm @workos-inc/node", secret: secret, other: other, body: compact, changes: []change{changeBody, laterBySecond("Workos-Signature")}},
		{preset: "zoom", library: "npm @zoom/rivet", secret: secret, other: other, body: compact, changes: []change{changeBody, laterBySecond("X-Zm-Request-Timestamp")}},
		{preset: "box", library: "npm box-node-sdk", secret: secret, other: other, body: body,
			header: map[string]string{"Box-Signature-Version": "1", "Box-Signature-Algorithm": "HmacSHA256"},
			changes: []change{changeBody, {"the time", func(m *message) {
				m.header.Set("Box-Delivery-Timestamp", at.Add(-time.Second).UTC().Format(time.RFC3339))
			}}}},
		{preset: "kontent", library: "npm @kontent-ai/webhook-helper", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "line", library: "npm @line/bot-sdk", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "notion", library: "npm @notionhq/client", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "onfido", library: "npm @onfido/api", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "pusher", library: "npm pusher", secret: secret, other: other, body: body, header: map[string]string{"X-Pusher-Key": "key"}, changes: onlyBody},
		{preset: "stream", library: "npm stream-chat", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "meta", library: "npm whatsapp", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "gitea", library: "Go code.gitea.io/sdk/gitea", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "pagerduty", library: "Go github.com/PagerDuty/go-pagerduty", secret: secret, other: other, body: body, changes: onlyBody},
		{preset: "buildkite", library: "Go github.com/buildkite/go-buildkite/v4", secret: secret, other: other, body: body, changes: []change{changeBody, laterBySecond("X-Buildkite-Signature")}},
		{preset: "mailgun", library: "Go github.com/mailgun/mailgun-go/v4", secret: secret, other: other, body: mailgunEvent, changes: []change{
			{"the token", replaceBody("54pPJ85f4W", "54pPJ85f4X")},
			{"the time in the body", replaceBody(strconv.FormatInt(at.Unix(), 10), strconv.FormatInt(at.Unix()+1, 10))},
		}, leaves: []change{{"the event", replaceBody("delivered", "opened")}}},
	}
}

// adyenBatch has items whose fields are empty, missing, and with the separator in them.
const adyenBatch = `{"live":"false","notificationItems":[` +
	`{"NotificationRequestItem":{"additionalData":{"expiryDate":"12/2030"},"amount":{"currency":"EUR","value":1130},"eventCode":"AUTHORISATION",` +
	`"eventDate":"2026-11-28T01:00:00+01:00","merchantAccountCode":"TestMerchant","merchantReference":"Test:Reference\\1","pspReference":"7914073381342284","success":"true"}},` +
	`{"NotificationRequestItem":{"amount":{"currency":"BRL","value":0},"eventCode":"REFUND","merchantAccountCode":"TestMerchant","merchantReference":"",` +
	`"originalReference":"7914073381342284","pspReference":"7914073381342285","reason":"","success":"false"}}]}`

// adyenChanges has every field that the signature of an item covers.
var adyenChanges = []change{
	{"the amount", replaceBody(`"value":1130`, `"value":1131`)},
	{"the currency", replaceBody(`"EUR"`, `"USD"`)},
	{"the event", replaceBody(`"AUTHORISATION"`, `"CAPTURE"`)},
	{"success", replaceBody(`"success":"true"`, `"success":"false"`)},
	{"the merchant", replaceBody(`"TestMerchant"`, `"TestMerchants"`)},
	{"a reference", replaceBody(`Test:Reference`, `Test:Referenc`)},
	{"the reference", replaceBody(`"7914073381342284","success"`, `"7914073381342280","success"`)},
	{"the original reference", replaceBody(`"originalReference":"7914073381342284"`, `"originalReference":"7914073381342280"`)},
	{"the second item", replaceBody(`"7914073381342285"`, `"7914073381342286"`)},
}

var (
	changeBody  = change{"the body", func(m *message) { m.body = strings.Replace(m.body, "1", "2", 1) }}
	changeQuery = change{"the query", func(m *message) { m.url = strings.Replace(m.url, "a%20b", "a%20c", 1) }}
	changePath  = change{"the path", func(m *message) { m.url = strings.Replace(m.url, "0aB-c", "0aB-d", 1) }}
	changeHost  = change{"the host", func(m *message) { m.url = strings.Replace(m.url, "hooks.", "other.", 1) }}
)

func replaceBody(old, new string) func(*message) {
	return func(m *message) { m.body = strings.Replace(m.body, old, new, 1) }
}

func changeHeader(name string) change {
	return change{name, func(m *message) { m.header.Set(name, m.header.Get(name)+"x") }}
}

// laterBySecond adds a second to the time that stands first in a header, or behind the
// first sign of equality in it; the time stays within every tolerance.
func laterBySecond(name string) change {
	return change{"the time in " + name, func(m *message) {
		value := m.header.Get(name)
		_, digits, found := strings.Cut(value, "=")
		if !found {
			digits = value
		}
		if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
			digits = digits[:end]
		}
		step := int64(1)
		if len(digits) > 11 {
			step = 1000 // milliseconds
		}
		number, _ := strconv.ParseInt(digits, 10, 64)
		m.header.Set(name, strings.Replace(value, digits, strconv.FormatInt(number+step, 10), 1))
	}}
}

// request returns the request of a trial, without a proof.
func (tr trial) request() message {
	m := message{method: http.MethodPost, url: tr.url, header: http.Header{"Content-Type": {"application/json"}}, body: tr.body}
	if m.url == "" {
		m.url = post
	}
	for name, value := range tr.header {
		m.header.Set(name, value)
	}
	return m
}

// split returns a URL as a guard knows it.
func (m message) split(t *testing.T) (public, path, query string) {
	t.Helper()
	u, err := url.Parse(m.url)
	if err != nil {
		t.Fatal(err)
	}
	return u.Scheme + "://" + u.Host, u.EscapedPath(), u.RawQuery
}

// ed25519Key returns a key pair of its own for every name.
func ed25519Key(name string, encode func([]byte) string) key {
	seed := sha256.Sum256([]byte(name))
	private := ed25519.NewKeyFromSeed(seed[:])
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return key{encode(private.Public().(ed25519.PublicKey)), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}
}

// p256Key returns a key pair of its own for every name. Its public half is as SendGrid shows it.
func p256Key(t *testing.T, name string) key {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key{base64.StdEncoding.EncodeToString(public), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))}
}

// storedKey returns a key pair on secp256k1, which Go cannot generate.
func storedKey(t *testing.T, name string) key {
	t.Helper()
	public, err := os.ReadFile("testdata/" + name + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	private, err := os.ReadFile("testdata/" + name + ".key")
	if err != nil {
		t.Fatal(err)
	}
	return key{string(public), string(private)}
}
