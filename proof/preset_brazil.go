package proof

// brazil are vendors of Brazil and its neighbours.
var brazil = []Preset{
	{
		Name: "abacatepay", Title: "AbacatePay",
		Scheme:   Scheme{Algorithm: "equal", Signature: Signature{Place: Place{Query: "webhookSecret"}}, ID: idBody("/id")},
		Secret:   "yours to choose: Webhooks, Criar, Secret",
		Source:   "https://docs.abacatepay.com/pages/webhooks/security",
		Evidence: Evidence{Constant: true},
		Notes:    "Its X-Webhook-Signature is an HMAC with a key that AbacatePay publishes: whoever knows that key makes it, so it is not looked at.",
	},
	{
		Name: "asaas", Title: "Asaas",
		Scheme:   constant("Asaas-Access-Token", idBody("/id")),
		Secret:   "yours to choose: Integrações, Webhooks, Token de autenticação",
		Source:   "https://docs.asaas.com/docs/criar-novo-webhook-pela-aplicacao-web",
		Evidence: Evidence{Constant: true},
		Notes:    "Only 200 counts as delivered; after 15 failures Asaas stops the queue.",
	},
	{
		Name: "belvo", Title: "Belvo",
		Scheme:   constant("Authorization", nil),
		Secret:   "yours to choose with the webhook: the whole value of the header, such as \"Bearer abc\"",
		Source:   "https://developers.belvo.com/developer_resources/resources-webhooks-aggregation",
		Evidence: Evidence{Constant: true},
	},
	{
		Name: "fintoc", Title: "Fintoc",
		Scheme:   timed("Fintoc-Signature", "t", "v1", "{timestamp}.{body}").with(idBody("/id")),
		Secret:   "Dashboard, Developers, Webhook endpoints; shown once",
		Source:   "https://docs.fintoc.com/docs/webhooks-validating",
		Evidence: Evidence{Library: "npm fintoc@1.15.0"},
	},
	{
		Name: "mercadopago", Title: "Mercado Pago",
		Scheme: Scheme{
			Signature: pairs("X-Signature", ",", "=", "v1"),
			// The library takes the id as it was sent, its version 2 in lower case.
			Signed: Templates{
				"[id:{query.data.id};][request-id:{header.X-Request-Id};]ts:{timestamp};",
				"[id:{query.data.id|lower};][request-id:{header.X-Request-Id};]ts:{timestamp};",
			},
			Timestamp: &Timestamp{Place: Place{Pair: "ts"}, Unit: "s-or-ms"},
		},
		Secret:   "Suas integrações, your application, Webhooks, Assinatura secreta",
		Source:   "mercadopago/sdk-nodejs src/utils/webhook/index.ts",
		Evidence: Evidence{Library: "npm mercadopago@3.6.1"},
		Notes: "The body is not signed: fetch the payment by its id before you believe it. Notifications of QR codes are not signed. " +
			"Mercado Pago's library judges no timestamp: should its retries be refused as timestamp_old, write the scheme in words, with `tolerance off`.",
	},
	{
		Name: "pagarme", Title: "Pagar.me (API of version 1 to 4)",
		Scheme:   Scheme{Algorithm: "hmac-sha1", Signature: in("X-Hub-Signature"), Prefix: "sha1="},
		Secret:   "the API key: Dashboard, Configurações, Chaves",
		Source:   "https://docs.pagar.me/v1/reference/validando-um-postback",
		Evidence: Evidence{Library: "npm pagarme@4.35.2"},
		Notes:    "Version 5 has no signature, and may have a user and a password in the URL.",
	},
	{
		Name: "stark", Title: "Stark Bank, Stark Infra",
		Scheme:   Scheme{Algorithm: "ecdsa-sha256", Signature: in("Digital-Signature"), Encoding: "base64", ID: idBody("/event/id")},
		Secret:   "the public key, from GET /v2/public-key",
		Source:   "starkbank/sdk-node sdk/event/event.js",
		Evidence: Evidence{Library: "npm starkbank-ecdsa@1.2.0"},
		Notes:    "The key is on the curve secp256k1, which github.com/decred/dcrd/dcrec/secp256k1 verifies. Stark may change it; both keys may be configured.",
	},
	{
		Name: "woovi", Title: "Woovi, OpenPix",
		Scheme:   Scheme{Algorithm: "rsa-sha256", Signature: in("X-Webhook-Signature"), Encoding: "base64"},
		Secret:   "the public key, from GET /api/v1/webhook/public-keys or the page of the source",
		Source:   "https://developers.woovi.com/docs/webhook/seguranca/webhook-signature-validation",
		Evidence: Evidence{Vector: "https://developers.openpix.com.br/docs/webhook/webhook-signature-validation"},
		Notes:    "One key signs for all accounts: it shows that Woovi sent an event, and not that it is yours. Registering a webhook sends a test that must get 200.",
	},
}
