// The libraries that vendors publish, each called as its documentation says. sign returns
// the headers that prove a request, or { headers, body } where the proof is in the body;
// verify returns whether the library takes a request, or throws what it throws. Names of
// headers are in lower case, as Node has them. A library is loaded when it is first asked.
import { createRequire } from 'node:module'
import path from 'node:path'

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
  '@clerk/backend': {
    load: () => import('@clerk/backend/webhooks'),
    verify: async ({ verifyWebhook }, r) => {
      const request = new Request(r.url, { method: r.method, headers: r.headers, body: r.body })
      return Boolean(await verifyWebhook(request, { signingSecret: r.secret }))
    },
  },
  '@elevenlabs/elevenlabs-js': {
    load: () => new (require('@elevenlabs/elevenlabs-js').ElevenLabsClient)({ apiKey: 'key' }),
    verify: async (client, r) => Boolean(await client.webhooks.constructEvent(r.body, r.headers['elevenlabs-signature'], r.secret)),
  },
  '@kontent-ai/webhook-helper': {
    load: () => require('@kontent-ai/webhook-helper').signatureHelper,
    sign: (helper, r) => ({ 'x-kontent-ai-signature': helper.getHashFromString(r.body, r.secret) }),
    verify: (helper, r) => helper.isValidSignatureFromString(r.body, r.secret, r.headers['x-kontent-ai-signature']),
  },
  '@line/bot-sdk': {
    load: () => import('@line/bot-sdk'),
    verify: ({ validateSignature }, r) => validateSignature(r.body, r.secret, r.headers['x-line-signature']),
  },
  '@mux/mux-node': {
    load: () => new (require('@mux/mux-node'))({ tokenId: 'id', tokenSecret: 'secret' }),
    verify: async (mux, r) => {
      await mux.webhooks.verifySignature(r.body, r.headers, r.secret)
      return true
    },
  },
  '@notionhq/client': {
    load: () => require('@notionhq/client'),
    sign: async (notion, r) => ({ 'x-notion-signature': await notion.signWebhookPayload({ body: r.body, verificationToken: r.secret }) }),
    verify: (notion, r) => notion.verifyWebhookSignature({ body: r.body, signature: r.headers['x-notion-signature'], verificationToken: r.secret }),
  },
  '@onfido/api': {
    load: () => require('@onfido/api').WebhookEventVerifier,
    verify: (Verifier, r) => Boolean(new Verifier(r.secret).readPayload(r.body, r.headers['x-sha2-signature'])),
  },
  '@sanity/webhook': {
    load: () => import('@sanity/webhook'),
    sign: async (webhook, r) => ({ 'sanity-webhook-signature': await webhook.encodeSignatureHeader(r.body, r.timestamp * 1000, r.secret) }),
    verify: (webhook, r) => webhook.isValidRequest({ headers: r.headers, body: r.body }, r.secret),
  },
  // It takes an event that was parsed, and signs what JSON.stringify makes of it.
  '@workos-inc/node': {
    load: () => new (require('@workos-inc/node').WorkOS)('key'),
    sign: async (workos, r) => {
      const timestamp = r.timestamp * 1000
      const signature = await workos.webhooks.computeSignature(timestamp, JSON.parse(r.body), r.secret)
      return { 'workos-signature': `t=${timestamp}, v1=${signature}` }
    },
    verify: (workos, r) => workos.webhooks.verifyHeader({ payload: JSON.parse(r.body), sigHeader: r.headers['workos-signature'], secret: r.secret }),
  },
  // It verifies what JSON.stringify makes of the event, too.
  '@zoom/rivet': {
    load: () => require('@zoom/rivet/meetings').AwsLambdaReceiver,
    verify: async (Receiver, r) => {
      const handle = new Receiver({ webhooksSecretToken: r.secret }).start()
      const answer = await handle({ headers: r.headers, body: r.body, isBase64Encoded: false }, {})
      if (answer.statusCode !== 200) throw new Error(answer.body)
      return true
    },
  },
  'box-node-sdk': {
    load: () => require('box-node-sdk/managers/webhooks').WebhooksManager,
    verify: (Webhooks, r) => Webhooks.validateMessage(r.body, r.headers, r.secret),
  },
  lithic: {
    load: async () => new (await import('lithic')).default({ apiKey: 'key' }),
    verify: (client, r) => Boolean(client.webhooks.unwrap(r.body, r.headers, r.secret)),
  },
  pusher: {
    load: () => require('pusher'),
    verify: (Pusher, r) => new Pusher({ appId: 'id', key: r.headers['x-pusher-key'], secret: r.secret }).webhook({ headers: r.headers, rawBody: r.body }).isValid(),
  },
  resend: {
    load: async () => new (await import('resend')).Resend('key'),
    verify: (resend, r) => Boolean(resend.webhooks.verify({
      payload: r.body, webhookSecret: r.secret,
      headers: { id: r.headers['svix-id'], timestamp: r.headers['svix-timestamp'], signature: r.headers['svix-signature'] },
    })),
  },
  'stream-chat': {
    load: () => require('stream-chat').StreamChat,
    verify: (StreamChat, r) => new StreamChat('key', r.secret).verifyWebhook(r.body, r.headers['x-signature']),
  },
  // Its receiver ends the process with every event; this is what it compares with.
  whatsapp: {
    load: () => require(path.join(path.dirname(require.resolve('whatsapp')), 'utils.js')),
    sign: (utils, r) => ({ 'x-hub-signature-256': `sha256=${utils.generateXHub256Sig(r.body, r.secret)}` }),
  },
}
