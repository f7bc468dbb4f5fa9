// How the senders of a credential prove themselves: what is told of it, how their proofs
// went, and another secret in place of the first.

import { byId, el, facts } from './dom.js';
import { Refusal, call } from './api.js';
import { exact, nameOf, timeAgo, timeLeft } from './format.js';
import { formDialog } from './dialog.js';
import { say } from './notice.js';
import { schemeName, withoutLineEnds } from './scheme.js';

const panel = byId('signing-panel');

// results say for people what the server's words mean.
const results = {
  ok: ['good', 'verified'],
  old_secret: ['warn', 'verified by another secret than the first'],
  missing: ['bad', 'there was no signature'],
  malformed: ['bad', 'it cannot be read'],
  timestamp_old: ['bad', 'signed too long ago'],
  timestamp_new: ['bad', 'signed in the future'],
  mismatch: ['bad', 'the signature is wrong'],
  duplicate: ['warn', 'delivered before'],
  unsealable: ['bad', 'the secrets cannot be opened here'],
  unenforced: ['warn', 'refused by the signature, let through by enforce off'],
};

export function clearSigning() {
  panel.hidden = true;
  byId('signing-facts').replaceChildren();
  byId('signing-proofs').replaceChildren();
}

export function showSigning(c) {
  panel.hidden = !c.verify && !c.lastProofs;
  byId('signing-open').hidden = !c.verify || c.status === 'revoked' || Boolean(c.graceUntil);
  const { scheme, secrets, changedAt, graceUntil } = c.verify ?? {};
  facts(byId('signing-facts'), [
    ['Scheme', c.verify ? schemeName(scheme) : 'as the configuration has it for the vendor'],
    ['Secrets', c.verify && String(secrets)],
    ['Changed', changedAt && [timeAgo(changedAt), exact(changedAt)]],
    ['The one before', graceUntil && new Date(graceUntil) > new Date() ? ['verifies for ', timeLeft(graceUntil)] : undefined],
  ]);
  byId('signing-proofs').replaceChildren(...proofLines(c.lastProofs));
}

// proofLines are the last proofs of a credential, one for each result.
export function proofLines(proofs = []) {
  if (proofs.length === 0) return [el('li', { class: 'soft' }, 'None was seen yet.')];
  return proofs.map(({ result, at }) => {
    const [tone, meaning] = results[result] ?? ['', ''];
    return el('li', {}, timeAgo(at), ' ', el('span', { class: `badge ${tone}` }, result), ' ', el('span', { class: 'soft' }, meaning));
  });
}

let credential, done;

const graceOpen = 'HKG-2015';

const dialog = formDialog('signing', async (form) => {
  const { secret, grace, force, reason } = form.elements;
  const body = {
    secret: withoutLineEnds(secret.value), gracePeriodSeconds: Number(grace.value), force: force.checked || undefined, reason: reason.value.trim() || undefined,
  };
  if (!body.secret) {
    secret.focus();
    throw new Error('The new secret is missing.');
  }
  let changed;
  try {
    changed = await call('POST', `v1/credentials/${encodeURIComponent(credential.id)}/signing-secret`, { body });
  } catch (failure) {
    if (failure instanceof Refusal && failure.code === graceOpen) byId('signing-force-line').hidden = false;
    throw failure;
  }
  dialog.close();
  say(`The signing secret of ${nameOf(changed)} is replaced.`);
  done(changed);
});

// openSigning asks for another secret by which the vendor of a credential signs.
export function openSigning(of, whenDone) {
  [credential, done] = [of, whenDone];
  byId('signing-force-line').hidden = true;
  dialog.querySelector('[data-name]').textContent = nameOf(of);
  dialog.showModal();
}
