// Changing a credential: rotation and its end, revocation, and what can be edited.

import { byId } from './dom.js';
import { Attempt, Refusal, call, randomText } from './api.js';
import { localInput, nameOf, relative } from './format.js';
import { formDialog, moment, offer, words } from './dialog.js';
import { hash, showMade } from './mint.js';
import { say } from './notice.js';
import { schemeFields } from './scheme.js';

let credential, done, attempt, secret;

const path = (what = '') => `v1/credentials/${encodeURIComponent(credential.id)}${what}`;
const reason = (form) => form.elements.reason.value.trim() || undefined;

function open(dialog, of, whenDone) {
  [credential, done] = [of, whenDone];
  for (const node of dialog.querySelectorAll('[data-name]')) node.textContent = nameOf(of);
  dialog.showModal();
}

const graceOpen = 'HKG-2008';

const rotation = formDialog('rotate', async (form) => {
  const body = {
    gracePeriodSeconds: Number(form.elements.grace.value), force: form.elements.force.checked || undefined, reason: reason(form),
    secretHash: credential.kind === 'api' ? await hash(secret) : undefined,
  };
  const whenDone = done;
  let made;
  try {
    made = await call('POST', path('/rotate'), { body, key: attempt.key(body) });
  } catch (failure) {
    if (failure instanceof Refusal && failure.code === graceOpen) byId('rotate-force-line').hidden = false;
    throw failure;
  }
  rotation.close();
  await showMade(made, secret, `#/credential/${made.id}`);
  whenDone(made);
});

export function openRotate(of, whenDone) {
  attempt = new Attempt();
  secret = randomText(32);
  byId('rotate-force-line').hidden = true;
  open(rotation, of, whenDone);
}

const finishing = formDialog('finish', async (form) => {
  const ended = await call('POST', path('/finish'), { body: { reason: reason(form) } });
  finishing.close();
  say(`The rotation of ${nameOf(ended)} is finished: the old credential is revoked.`);
  done(ended);
});

// openFinish asks whether to end the grace of the old credential of a pair.
export function openFinish(old, whenDone) {
  byId('finish-used').textContent = lastUse(old);
  open(finishing, old, whenDone);
}

const revocation = formDialog('revoke', async (form) => {
  if (!form.elements.sure.checked) {
    byId('revoke-sure').focus();
    throw new Error('Tick the box to confirm.');
  }
  const ended = await call('POST', path('/revoke'), { body: { reason: reason(form) } });
  revocation.close();
  say(`Revoked: ${nameOf(ended)}.`);
  done(ended);
});

export function openRevoke(of, whenDone) {
  byId('revoke-used').textContent = lastUse(of);
  open(revocation, of, whenDone);
}

const disabling = formDialog('disable', async (form) => {
  const changed = await call('POST', path('/disable'), { body: { reason: reason(form) } });
  disabling.close();
  say(`Disabled: ${nameOf(changed)}.`);
  done(changed);
});

// openDisable asks whether to refuse a token until it is enabled again.
export function openDisable(of, whenDone) {
  byId('disable-used').textContent = lastUse(of);
  open(disabling, of, whenDone);
}

const enabling = formDialog('enable', async (form) => {
  const changed = await call('POST', path('/enable'), { body: { reason: reason(form) } });
  enabling.close();
  say(`Enabled: ${nameOf(changed)}.`);
  done(changed);
});

export const openEnable = (of, whenDone) => open(enabling, of, whenDone);

const lastUse = (c) => (c.lastUsedAt ? `It was last used ${relative(new Date(c.lastUsedAt))}.` : 'It has never been used.');

const editing = formDialog('edit', async (form) => {
  const { label, expiresAt, allowedIps } = form.elements;
  const patch = {};
  if (label.value !== (credential.label ?? '')) patch.label = label.value || null;
  if (expiresAt.value !== localInput(credential.expiresAt) || expiresAt.validity.badInput) patch.expiresAt = moment(expiresAt) ?? null;
  const ips = words(allowedIps.value);
  if (ips.join(' ') !== (credential.allowedIps ?? []).join(' ')) patch.allowedIps = ips.length ? ips : null;
  const verify = signs.chosen === 'none' ? null : signs.value();
  if (verify !== undefined) patch.verify = verify;
  if (Object.keys(patch).length === 0) {
    editing.close();
    return;
  }
  const changed = await call('PATCH', path(), { body: patch });
  editing.close();
  say(`Changed: ${nameOf(changed)}.`);
  done(changed);
});

const signs = schemeFields('edit-signs');

export function openEdit(of, whenDone) {
  const { label, expiresAt, allowedIps } = editing.querySelector('form').elements;
  label.value = of.label ?? '';
  expiresAt.value = localInput(of.expiresAt);
  allowedIps.value = (of.allowedIps ?? []).join(' ');
  byId('edit-signs').hidden = of.kind === 'api';
  for (const option of editing.querySelectorAll('#edit-scheme > option')) option.hidden = option.disabled = option.value === 'none' && !of.verify;
  open(editing, of, whenDone);
  if (of.kind !== 'api') offer(editing, signs);
}
