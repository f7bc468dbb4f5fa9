// Minting a credential.

import { byId } from './dom.js';
import { Attempt, call, randomText } from './api.js';
import { nameOf } from './format.js';
import { formDialog, moment, offer, words } from './dialog.js';
import { say, warn } from './notice.js';
import { schemeFields } from './scheme.js';
import { showSecret } from './secret.js';

let attempt, secret, done;

const dialog = formDialog('mint', async (form) => {
  const body = await request(form.elements);
  const made = await call('POST', 'v1/credentials', { body, key: attempt.key(body) });
  dialog.close();
  await showMade(made, secret);
  done();
});
const form = dialog.querySelector('form');
const signs = schemeFields('mint-signs');

// openMint asks for a new credential; whenDone is called when it is made and its
// token put away.
export function openMint(whenDone) {
  attempt = new Attempt();
  secret = randomText(32);
  done = whenDone;
  showKind();
  dialog.showModal();
  offer(dialog, signs);
}

// showMade shows the token of what was made. An answer that comes to a request which
// was already carried out has none: it was in the answer that got lost.
// The message stands in the view of the address.
export async function showMade(made, secret, at) {
  if (made.token || made.kind === 'api') {
    await showSecret(made, secret);
    say(`${made.supersedes ? 'Rotated' : 'Minted'}: ${nameOf(made)}.`, at);
  } else {
    warn(`${nameOf(made)} was made by the first attempt, whose answer with the token got lost. Rotate it to get another token, or revoke it.`, at);
  }
}

async function request(fields) {
  const kind = fields.kind.value;
  const body = { kind, label: fields.label.value || undefined, expiresAt: moment(fields.expiresAt) };
  const ips = words(fields.allowedIps.value);
  if (ips.length) body.allowedIps = ips;
  if (kind !== 'api') {
    body.vendor = fields.vendor.value.trim() || undefined;
    body.verify = signs.value();
  }
  if (kind === 'webhook') {
    body.connection = fields.connection.value || undefined;
  }
  if (kind === 'api') {
    body.clientId = fields.clientId.value.trim() || undefined;
    body.scopes = words(fields.scopes.value);
    body.secretHash = await hash(secret);
  }
  return body;
}

// hash returns what the server is told of a secret.
export async function hash(secret) {
  if (!crypto.subtle) {
    throw new Error('A browser hashes only on a page that came over TLS or from this machine. Use hookgate credentials on the command line instead.');
  }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret));
  return `sha256:${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function showKind() {
  for (const part of form.querySelectorAll('[data-kind]')) part.hidden = !part.dataset.kind.split(' ').includes(form.elements.kind.value);
  byId('mint-label-hint').hidden = form.elements.kind.value !== 'callback';
}

form.addEventListener('change', showKind);
