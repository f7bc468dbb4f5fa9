// The libraries that vendors publish, each called as its documentation says. sign returns
// the headers that prove a request, or { headers, body } where the proof is in the body;
// verify returns whether the library takes a request, or throws what it throws. Names of
// headers are in lower case, as Node has them. A library is loaded when it is first asked.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const form = (r) => {
  const fields = {}
  for (const [name, value] of new URLSearchParams(r.body)) (fields[name] ??= []).push(value)
  return Object.fromEntries(Object.entries(fields).map(([name, all]) => [name, all.length > 1 ? all : all[0]]))
}
const isForm = (r) => (r.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
const date = (r) => new Date(r.timestamp * 1000)

// Two packages have one interface, and differ in the names of the headers.
const standard = (name, prefix) => ({
  load: async () => (await import(name)).Webhook,
  sign: (Webhook, r) => ({
    [`${prefix}-id`]: r.id,
    [`${prefix}-timestamp`]: String(r.timestamp),
    [`${prefix}-signature`]: new Webhook(r.secret).sign(r.id, date(r), r.body),
  }),
  verify: (Webhook, r) => new Webhook(r.secret).verify(r.body, r.headers) !== undefined,
})

const hubspot = {
  load: () => require('@hubspot/api-client').Signature,
  version: (r) => r.scheme.split('-')[1] ?? 'v3',
  header: (version) => (version === 'v3' ? 'x-hubspot-signature-v3' : 'x-hubspot-signature'),
  options: (r, timestamp) => ({ clientSecret: r.secret, requestBody: r.body, url: r.url, timestamp }),
}

export const libraries = {
  stripe: {
    load: async () => (await import('stripe')).default,
    sign: (Stripe, r) => ({
      'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload: r.body, secret: r.secret, timestamp: r.timestamp }),
    }),
    verify: (Stripe, r) => Boolean(Stripe.webhooks.constructEvent(r.body, r.headers['stripe-signature'], r.secret)),
  },
  standardwebhooks: standard('standardwebhooks', 'webhook'),
  svix: standard('svix', 'svix'),
  '@octokit/webhooks-methods': {
    load: () => import('@octokit/webhooks-methods'),
    sign: async (methods, r) => ({ 'x-hub-signature-256': await methods.sign(r.secret, r.body) }),
    verify: (methods, r) => methods.verify(r.secret, r.body, r.headers['x-hub-signature-256']),
  },
  '@shopify/shopify-api': {
    load: async () => {
      await import('@shopify/shopify-api/adapters/node')
      return import('@shopify/shopify-api')
    },
    // It takes a request only with the headers that say what it is about.
    verify: async ({ shopifyApi, ApiVersion, LogSeverity }, r) => {
      const shopify = shopifyApi({
        apiKey: 'key', apiSecretKey: r.secret, hostName: 'example.com', isEmbeddedApp: false,
        apiVersion: Object.values(ApiVersion)[0], logger: { level: LogSeverity.Error },
      })
      const answer = await shopify.webhooks.validate({
        rawBody: r.body, rawRequest: { method: r.method, url: r.url, headers: r.headers }, rawResponse: {},
      })
      if (!answer.valid) throw new Error(answer.reason)
      return true
    },
  },
  '@slack/bolt': {
    load: () => require('@slack/bolt'),
    verify: ({ verifySlackRequest }, r) => {
      const headers = { ...r.headers, 'x-slack-request-timestamp': Number(r.headers['x-slack-request-timestamp']) }
      verifySlackRequest({ signingSecret: r.secret, body: r.body, headers })
      return true
    },
  },
  twilio: {
    load: () => require('twilio'),
    sign: (twilio, r) => ({
      'x-twilio-signature': twilio.getExpectedTwilioSignature(r.secret, r.url, isForm(r) ? form(r) : {}),
    }),
    verify: (twilio, r) => {
      const signature = r.headers['x-twilio-signature']
      if (r.url.includes('bodySHA256')) return twilio.validateRequestWithBody(r.secret, signature, r.url, r.body)
      return twilio.validateRequest(r.secret, signature, r.url, isForm(r) ? form(r) : {})
    },
  },
  // The webhooks of payments are batches, in which every item has a signature of its own.
  '@adyen/api-library': {
    load: () => new (require('@adyen/api-library').hmacValidator)(),
    sign: (validator, r) => {
      if (r.scheme !== 'adyen-standard') return { hmacsignature: validator.calculateHmac(r.body, r.secret) }
      const batch = JSON.parse(r.body)
      for (const { NotificationRequestItem: item } of batch.notificationItems) {
        item.additionalData = { ...item.additionalData, hmacSignature: validator.calculateHmac(item, r.secret) }
      }
      return { headers: {}, body: JSON.stringify(batch) }
    },
    verify: (validator, r) => {
      if (r.scheme !== 'adyen-standard') return validator.validateHMACSignature(r.secret, r.headers.hmacsignature, r.body)
      return JSON.parse(r.body).notificationItems.every(({ NotificationRequestItem: item }) => validator.validateHMAC(item, r.secret))
    },
  },
  square: {
    load: () => require('square').WebhooksHelper,
    verify: (helper, r) => helper.verifySignature({
      requestBody: r.body, signatureHeader: r.headers['x-square-hmacsha256-signature'], signatureKey: r.secret, notificationUrl: r.url,
    }),
  },
  '@linear/sdk': {
    load: async () => (await import('@linear/sdk/webhooks')).LinearWebhookClient,
    verify: (Client, r) => new Client(r.secret).verify(Buffer.from(r.body), r.headers['linear-signature']),
  },
  '@paddle/paddle-node-sdk': {
    load: () => new (require('@paddle/paddle-node-sdk').Paddle)('key'),
    verify: (paddle, r) => paddle.webhooks.isSignatureValid(r.body, r.secret, r.headers['paddle-signature']),
  },
  mercadopago: {
    load: () => require('mercadopago').WebhookSignatureValidator,
    verify: (validator, r) => {
      validator.validate({
        xSignature: r.headers['x-signature'], xRequestId: r.headers['x-request-id'],
        dataId: new URL(r.url).searchParams.get('data.id'), secret: r.secret, toleranceSeconds: 300,
      })
      return true
    },
  },
  '@hubspot/api-client': {
    load: hubspot.load,
    sign: (Signature, r) => {
      const version = hubspot.version(r)
      const timestamp = r.timestamp * 1000
      const headers = { [hubspot.header(version)]: Signature.getSignature(r.method, version, hubspot.options(r, timestamp)) }
      if (version === 'v3') headers['x-hubspot-request-timestamp'] = String(timestamp)
      return headers
    },
    verify: (Signature, r) => {
      const signatureVersion = hubspot.version(r)
      return Signature.isValid({
        ...hubspot.options(r, Number(r.headers['x-hubspot-request-timestamp'])), method: r.method, signatureVersion,
        signature: r.headers[hubspot.header(signatureVersion)],
      })
    },
  },
  'discord-interactions': {
    load: () => require('discord-interactions'),
    verify: ({ verifyKey }, r) => verifyKey(r.body, r.headers['x-signature-ed25519'], r.headers['x-signature-timestamp'], r.secret),
  },
  '@sendgrid/eventwebhook': {
    load: () => require('@sendgrid/eventwebhook'),
    verify: ({ EventWebhook, EventWebhookHeader }, r) => {
      const webhook = new EventWebhook()
      const [signature, timestamp] = [EventWebhookHeader.SIGNATURE(), EventWebhookHeader.TIMESTAMP()].map((name) => r.headers[name.toLowerCase()])
      return webhook.verifySignature(webhook.convertPublicKeyToECDSA(r.secret), r.body, signature, timestamp)
    },
  },
  // Stark Bank's own; SendGrid's library verifies with it.
  'starkbank-ecdsa': {
    load: () => require('starkbank-ecdsa'),
    sign: ({ Ecdsa, PrivateKey }, r) => {
      const sign = (text) => Ecdsa.sign(text, PrivateKey.fromPem(r.secret)).toBase64()
      if (r.scheme === 'stark') return { 'digital-signature': sign(r.body) }
      return {
        'x-twilio-email-event-webhook-signature': sign(r.timestamp + r.body),
        'x-twilio-email-event-webhook-timestamp': String(r.timestamp),
      }
    },
    verify: ({ Ecdsa, PublicKey, Signature }, r) =>
      Ecdsa.verify(r.body, Signature.fromBase64(r.headers['digital-signature']), PublicKey.fromPem(r.secret)),
  },
  fintoc: {
    load: () => require('fintoc').WebhookSignature,
    verify: (signature, r) => {
      signature.verifyHeader(r.body, r.headers['fintoc-signature'], r.secret)
      return true
    },
  },
  razorpay: {
    load: () => require('razorpay'),
    verify: (Razorpay, r) => Razorpay.validateWebhookSignature(r.body, r.headers['x-razorpay-signature'], r.secret),
  },
  'gocardless-nodejs': {
    load: () => require('gocardless-nodejs/webhooks'),
    verify: (webhooks, r) => Array.isArray(webhooks.parse(r.body, r.secret, r.headers['webhook-signature'])),
  },
  'modern-treasury': {
    load: async () => new (await import('modern-treasury')).default({ organizationID: 'organization', apiKey: 'key' }),
    sign: (client, r) => ({ 'x-signature': client.webhooks.getSignature(r.body, { key: r.secret }) }),
    verify: (client, r) => client.webhooks.validateSignature(r.body, r.headers, { key: r.secret }),
  },
  openai: {
    load: async () => new (await import('openai')).default({ apiKey: 'key' }),
    verify: async (client, r) => Boolean(await client.webhooks.unwrap(r.body, r.headers, r.secret)),
  },
  '@polar-sh/sdk': {
    load: () => import('@polar-sh/sdk/webhooks'),
    // It reads the event after it has verified it, and knows each kind of event in full.
    verify: ({ validateEvent }, r) => {
      try {
        validateEvent(r.body, r.headers, r.secret)
      } catch (error) {
        if (error.name !== 'SDKValidationError') throw error
      }
      return true
    },
  },
  telnyx: {
    load: async () => new (await import('telnyx')).default({ apiKey: 'key' }),
    verify: async (client, r) => Boolean(await client.webhooks.unwrap(r.body, { headers: r.headers, key: r.secret })),
  },
  replicate: {
    load: () => require('replicate').validateWebhook,
    verify: (validate, r) => validate({
      id: r.headers['webhook-id'], timestamp: r.headers['webhook-timestamp'], signature: r.headers['webhook-signature'],
      body: r.body, secret: r.secret,
    }),
  },
  'coinbase-commerce-node': {
    load: () => require('coinbase-commerce-node').Webhook,
    verify: (webhook, r) => Boolean(webhook.verifyEventBody(r.body, r.headers['x-cc-webhook-signature'], r.secret)),
  },
  pagarme: {
    load: () => require('pagarme').postback,
    sign: (postback, r) => ({ 'x-hub-signature': `sha1=${postback.calculateSignature(r.secret, r.body)}` }),
    verify: (postback, r) => postback.verifySignature(r.secret, r.body, r.headers['x-hub-signature'].split('=')[1]),
  },
}
