package proof

// standardWebhooks are https://www.standardwebhooks.com and vendors that follow it, which differ in how
// they make a key of the secret.
var standardWebhooks = []Preset{
	{
		Name: "standard-webhooks", Title: "Standard Webhooks",
		Scheme:   standard("Webhook", "whsec"),
		Secret:   "whsec_ and base64, from the vendor",
		Source:   "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
		Evidence: Evidence{Library: "npm standardwebhooks@1.1.1"},
		Notes:    "Also Render, Recall and others that send webhook-id and webhook-signature; GitLab with a signing token.",
	},
	{
		Name: "svix", Title: "Svix",
		Scheme:   standard("Svix", "whsec"),
		Secret:   "the endpoint's signing secret, in the portal of the vendor that uses Svix",
		Source:   "https://docs.svix.com/receiving/verifying-payloads/how-manual",
		Evidence: Evidence{Library: "npm svix@1.99.1"},
		Notes:    "Also Brex, Mercury, Pleo and others that send svix-id and svix-signature.",
	},
	{
		Name: "clerk", Title: "Clerk",
		Scheme:   standard("Svix", "whsec"),
		Secret:   "Dashboard, Webhooks, the endpoint, Signing Secret",
		Source:   "https://clerk.com/docs/webhooks/sync-data",
		Evidence: Evidence{Library: "npm @clerk/backend@3.25.0"},
	},
	{
		Name: "lithic", Title: "Lithic",
		Scheme:   standard("Webhook", "whsec"),
		Secret:   "GET /v1/event_subscriptions/{token}/secret",
		Source:   "https://docs.lithic.com/docs/events-api",
		Evidence: Evidence{Library: "npm lithic@0.145.0"},
	},
	{
		Name: "openai", Title: "OpenAI",
		Scheme:   standard("Webhook", "whsec-or-text"),
		Secret:   "Settings, Project, Webhooks; shown once",
		Source:   "https://platform.openai.com/docs/guides/webhooks",
		Evidence: Evidence{Library: "npm openai@6.49.0"},
		Notes:    "A secret without whsec_ is taken as text, as OpenAI's library does.",
	},
	{
		Name: "polar", Title: "Polar",
		Scheme:   standard("Webhook", ""),
		Secret:   "yours to choose: Settings, Webhooks, Secret",
		Source:   "https://docs.polar.sh/integrate/webhooks/delivery",
		Evidence: Evidence{Library: "npm @polar-sh/sdk@0.49.0"},
		Notes:    "The key is the text of the secret as it stands, whsec_ included: the preset standard-webhooks refuses what Polar signs.",
	},
	{
		Name: "replicate", Title: "Replicate",
		Scheme:   standard("Webhook", "whsec"),
		Secret:   "GET /v1/webhooks/default/secret",
		Source:   "https://replicate.com/docs/topics/webhooks/verify-webhook",
		Evidence: Evidence{Library: "npm replicate@1.4.0"},
	},
	{
		Name: "resend", Title: "Resend",
		Scheme:   standard("Svix", "whsec"),
		Secret:   "Webhooks, the endpoint, Signing Secret",
		Source:   "https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests",
		Evidence: Evidence{Library: "npm resend@6.38.0"},
	},
}

func standard(headers, key string) Scheme {
	return Scheme{
		Signature: pairs(headers+"-Signature", " ", ",", "v1"),
		Encoding:  "base64",
		Signed:    Templates{"{id}.{timestamp}.{body}"},
		Timestamp: at(headers+"-Timestamp", ""),
		ID:        idHeader(headers + "-Id"),
		Key:       key,
	}
}
