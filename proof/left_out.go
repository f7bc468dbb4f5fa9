package proof

// Omission is a vendor without a preset.
type Omission struct {
	Name  string
	Title string
	Why   string
	// Scheme is what the vendor's documentation says, which neither a library nor a vector of the
	// vendor's has confirmed; nil: no scheme says it.
	Scheme *Scheme
	Source string
}

const unconfirmed = "documented; neither an official library nor a published vector confirms it"

// LeftOut returns the vendors that are known and have no preset.
func LeftOut() []Omission { return leftOut }

func documented(name, title, source string, s Scheme) Omission {
	return Omission{Name: name, Title: title, Why: unconfirmed, Scheme: &s, Source: source}
}

var leftOut = []Omission{
	documented("attio", "Attio", "https://docs.attio.com/rest-api/guides/webhooks", ofBody("Attio-Signature", "", "")),
	documented("cal-com", "Cal.com", "https://cal.com/docs/developing/guides/automation/webhooks", ofBody("X-Cal-Signature-256", "", "")),
	documented("calendly", "Calendly", "https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures", timed("Calendly-Webhook-Signature", "t", "v1", "{timestamp}.{body}")),
	documented("checkout", "Checkout.com", "https://www.checkout.com/docs/workflows/set-up-your-webhook-receiver", ofBody("Cko-Signature", "", "").with(idBody("/id"))),
	documented("column", "Column", "formancehq/payments ce/plugins/column/webhook.go", ofBody("Column-Signature", "", "").with(idBody("/id"))),
	documented("dlocal", "dLocal", "https://docs.dlocal.com/reference/verifications-notifications", Scheme{
		Signature: pairs("Signature", ",", ":", "Signature"), Signed: Templates{"{header.X-Login}{timestamp}{body}"}, Timestamp: at("X-Date", "rfc3339"),
	}),
	documented("docusign", "DocuSign Connect", "https://developers.docusign.com/platform/webhooks/connect/hmac/", Scheme{
		Signature: in("X-DocuSign-Signature-1", "X-DocuSign-Signature-2", "X-DocuSign-Signature-3", "X-DocuSign-Signature-4"), Encoding: "base64",
	}),
	documented("dropbox", "Dropbox", "https://www.dropbox.com/developers/reference/webhooks", ofBody("X-Dropbox-Signature", "", "")),
	documented("dwolla", "Dwolla", "https://developers.dwolla.com/docs/balance/webhooks/process-validate", ofBody("X-Request-Signature-SHA-256", "", "").with(idBody("/id"))),
	documented("ebanx", "EBANX", "https://docs.ebanx.com/docs/payout/general/notification", Scheme{Algorithm: "rsa-sha1", Signature: in("X-SignatureContent"), Encoding: "base64"}),
	documented("intercom", "Intercom", "https://developers.intercom.com/docs/webhooks", Scheme{Algorithm: "hmac-sha1", Signature: in("X-Hub-Signature"), Prefix: "sha1=", ID: idBody("/id")}),
	documented("lemonsqueezy", "Lemon Squeezy", "https://docs.lemonsqueezy.com/help/webhooks/signing-requests", ofBody("X-Signature", "", "")),
	documented("mollie", "Mollie (next-gen webhooks)", "https://docs.mollie.com/reference/webhooks-best-practices", ofBody("X-Mollie-Signature", "sha256=", "")),
	documented("nuvemshop", "Nuvemshop", "https://tiendanube.github.io/api-documentation/resources/webhook", ofBody("X-Linkedstore-Hmac-Sha256", "", "")),
	documented("nylas", "Nylas", "https://developer.nylas.com/docs/v3/notifications/", ofBody("X-Nylas-Signature", "", "")),
	documented("pagbank", "PagBank", "https://developer.pagbank.com.br/reference/confirmar-autenticidade-da-notificacao",
		Scheme{Algorithm: "sha256", Signature: in("X-Authenticity-Token"), Signed: Templates{"{secret}-{body}"}}),
	documented("paystack", "Paystack", "https://paystack.com/docs/payments/webhooks/", Scheme{Algorithm: "hmac-sha512", Signature: in("X-Paystack-Signature")}),
	documented("payzu", "PayZu", "https://docs.payzu.com.br/docs/account-hub/verify-the-signature", Scheme{
		Signature: in("X-Payzu-Signature"), Prefix: "sha256=", Signed: Templates{"{timestamp}.{body}"}, Timestamp: at("X-Payzu-Timestamp", "ms"), ID: idHeader("X-Payzu-Delivery"),
	}),
	documented("pluggy", "Pluggy", "https://docs.lerian.studio/en/reference/matcher/receive-aggregator-webhook", ofBody("X-Webhook-Signature", "", "")),
	documented("powens", "Powens", "formancehq/payments ce/plugins/powens/webhooks.go", Scheme{
		Signature: in("Bi-Signature"), Encoding: "base64", Signed: Templates{"{method}.{path}.{header.Bi-Signature-Date}.{body}"},
	}),
	documented("qitech", "QI Tech (banking as a service)", "https://docs.qitech.com.br", Scheme{Algorithm: "hmac-sha1", Signature: in("Signature"), Signed: Templates{"{url}{method}{body}"}}),
	documented("revolut", "Revolut Merchant", "https://developer.revolut.com/docs/guides/accept-payments/tutorials/work-with-webhooks/verify-the-payload-signature", Scheme{
		Signature: pairs("Revolut-Signature", ",", "=", "v1"), Signed: Templates{"v1.{timestamp}.{body}"}, Timestamp: at("Revolut-Request-Timestamp", "ms"),
	}),
	documented("sentry", "Sentry", "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/", ofBody("Sentry-Hook-Signature", "", "").with(idHeader("Request-ID"))),
	documented("tabapay", "TabaPay", "https://developers.tabapay.com/reference/webhook-signature-headers", Scheme{
		Signature: pairs("X-HMAC-Signature", ",", "=", "v1", "v2"), Signed: Templates{"{timestamp}.{body}"}, Timestamp: &Timestamp{Place: Place{Pair: "t"}},
	}),
	documented("tink", "Tink", "formancehq/payments ce/plugins/tink/webhooks.go", timed("X-Tink-Signature", "t", "v1", "{timestamp}.{body}")),
	documented("typeform", "Typeform", "https://www.typeform.com/developers/webhooks/secure-your-webhooks/", ofBody("Typeform-Signature", "sha256=", "base64").with(idBody("/event_id"))),
	documented("vercel", "Vercel", "https://vercel.com/docs/webhooks/webhooks-api", Scheme{Algorithm: "hmac-sha1", Signature: in("X-Vercel-Signature"), ID: idBody("/id")}),
	documented("wise", "Wise", "https://docs.wise.com/api-docs/features/webhooks-notifications/event-handling", Scheme{
		Algorithm: "rsa-sha256", Signature: in("X-Signature-SHA256"), Encoding: "base64", ID: idHeader("X-Delivery-Id"),
	}),
	documented("woocommerce", "WooCommerce", "https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks", ofBody("X-WC-Webhook-Signature", "", "base64").with(idHeader("X-WC-Webhook-Delivery-ID"))),
	documented("xero", "Xero", "https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/", Scheme{Signature: in("X-Xero-Signature"), Encoding: "base64", Refuse: 401}),
	documented("zendesk", "Zendesk", "https://developer.zendesk.com/documentation/webhooks/verifying/", Scheme{
		Signature: in("X-Zendesk-Webhook-Signature"), Encoding: "base64", Signed: Templates{"{timestamp}{body}"}, Timestamp: at("X-Zendesk-Webhook-Signature-Timestamp", "rfc3339"), ID: idHeader("X-Zendesk-Webhook-Id"),
	}),
	{Name: "aws-sns", Title: "Amazon SNS", Why: "the certificate is fetched from a URL in the message"},
	{Name: "braintree", Title: "Braintree", Why: "the signed bytes are a field of a form, and the key is a digest of the secret"},
	{Name: "celcoin", Title: "Celcoin", Why: "a JWT that Celcoin fetches from an OAuth endpoint of yours"},
	{Name: "circle", Title: "Circle", Why: "the public key is fetched by the key id of each request"},
	{Name: "contentful", Title: "Contentful", Why: "a list in the request says which headers are signed"},
	{Name: "dropbox-sign", Title: "Dropbox Sign", Why: "two fields of JSON within a form are signed"},
	{Name: "easypost", Title: "EasyPost", Why: "the body is signed as EasyPost writes its numbers, not as it is sent"},
	{Name: "fireblocks", Title: "Fireblocks", Why: "a detached JWS; the key is fetched"},
	{Name: "hygraph", Title: "Hygraph", Why: "the body is signed as a text within JSON, not as it is sent"},
	{Name: "iugu", Title: "iugu", Why: "it sends no proof; allow_ips names its address"},
	{Name: "open-finance-brasil", Title: "Open Finance Brasil", Why: "the proof is the client certificate (client_cert)"},
	{Name: "paypal", Title: "PayPal", Why: "the certificate is fetched from a URL in the request"},
	{Name: "pix", Title: "Pix PSPs after the central bank's API: Itaú, Inter, Banco do Brasil, Sicoob, Efí", Why: "the proof is the client certificate (client_cert)"},
	{Name: "plaid", Title: "Plaid", Why: "a JWT; the key is fetched by the key id of each request"},
	{Name: "plivo", Title: "Plivo", Why: "query and form are signed sorted, with separators of Plivo's own"},
	{Name: "truelayer", Title: "TrueLayer", Why: "a detached JWS with ES512"},
}
