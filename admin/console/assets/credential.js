// One credential: what it is, what became of it, and the pair that a rotation makes.

import { SignedOut, call } from './api.js';
import { byId, el, facts, showProblem } from './dom.js';
import { badge, endOf, exact, expiry, kindName, linkTo, nameOf, timeAgo } from './format.js';
import { openDisable, openEdit, openEnable, openRevoke, openRotate } from './change.js';
import { clearPair, showPair } from './pair.js';
import { showRefusals } from './refusals.js';
import { clearSigning, openSigning, showSigning } from './signing.js';
import { changeList, eventText } from './changes.js';
import { may } from './access.js';

const problem = byId('credential-problem');
const historySize = 10;

let shown = null, latest = 0;

export const open = (id) => load(id);
export const close = () => clear();

export function clear() {
  latest++;
  shown = null;
  byId('credential-title').textContent = 'Credential';
  byId('credential-facts').replaceChildren();
  byId('credential-history').replaceChildren();
  byId('credential-actions').hidden = true;
  clearPair();
  clearSigning();
  showRefusals();
  showProblem(problem, null);
}

async function load(id) {
  const mine = ++latest;
  showProblem(problem, null);
  try {
    const c = await call('GET', `v1/credentials/${encodeURIComponent(id)}`);
    if (mine !== latest) return;
    show(c);
    const [, audit] = await Promise.all([
      showPair(c, () => load(c.id)),
      may('readAll') ? call('GET', 'v1/audit', { query: { credentialId: c.id, limit: historySize } }) : { entries: [] },
    ]);
    if (mine === latest) byId('credential-history').replaceChildren(...audit.entries.map((entry) => historyLine(entry, c)));
  } catch (failure) {
    if (mine === latest && !(failure instanceof SignedOut)) showProblem(problem, failure);
  }
}

const moment = (text) => [timeAgo(text), exact(text)];

function show(c) {
  shown = c;
  const ended = c.status === 'revoked';
  byId('credential-title').replaceChildren(nameOf(c), ' ', badge(c.status));
  byId('credential-actions').hidden = false;
  byId('rotate-open').hidden = c.status !== 'active';
  byId('edit-open').hidden = ended || Boolean(c.graceUntil);
  byId('revoke-open').hidden = ended;
  byId('disable-open').hidden = !['active', 'grace'].includes(c.status);
  byId('enable-open').hidden = c.status !== 'disabled';
  byId('history-all').href = `#/audit/${encodeURIComponent(c.id)}`;
  showSigning(c);
  showRefusals(c.lastRefusals);
  facts(byId('credential-facts'), [
    ['Id', el('code', {}, c.id)],
    ['Kind', kindName(c.kind)],
    ['Vendor', c.vendor],
    ['Connection', c.connection],
    ['Token', c.tokenHint && el('code', {}, `${c.tokenHint}…`)],
    ['Client id', c.clientId],
    ['Scopes', c.scopes?.join(' ')],
    ['Allowed addresses', c.allowedIps?.join(', ') ?? 'any'],
    ['Last used', c.lastUsedAt ? moment(c.lastUsedAt) : 'never'],
    ['Created', moment(c.createdAt)],
    ['Expires', [expiry(c), endOf(c) && exact(endOf(c))]],
    ['Rotated', c.rotatedAt && moment(c.rotatedAt)],
    ['Revoked', c.revokedAt && moment(c.revokedAt)],
    ['Replaces', c.supersedes && linkTo(c.supersedes, el('code', {}, c.supersedes))],
    ['Replaced by', c.supersededBy && linkTo(c.supersededBy, el('code', {}, c.supersededBy))],
    ['Metadata', c.metadata && el('code', { class: 'value' }, JSON.stringify(c.metadata, null, 1))],
  ]);
}

// historyLine: the rotation that made this credential stands under the one before.
function historyLine(entry, c) {
  const made = entry.action === 'rotate' && entry.detail === c.id;
  const what = made ? [el('strong', {}, 'made'), ' by a rotation of ', linkTo(c.supersedes, el('code', {}, c.supersedes))] : [el('strong', {}, entry.action)];
  const why = eventText(made ? { ...entry, detail: '' } : entry);
  return el('li', {}, timeAgo(entry.at), ' ', ...what, entry.actor ? ` by ${entry.actor}` : null, why.length ? el('span', { class: 'soft' }, ' – ', ...why) : null, changeList(entry.changes));
}

byId('credential-refresh').addEventListener('click', () => load(shown.id));
byId('edit-open').addEventListener('click', () => openEdit(shown, (changed) => load(changed.id)));
byId('signing-open').addEventListener('click', () => openSigning(shown, (changed) => load(changed.id)));
byId('revoke-open').addEventListener('click', () => openRevoke(shown, async (ended) => {
  await load(ended.id);
  byId('credential-title').focus(); // the button is gone
}));
// The button makes way for its opposite.
const swapped = (id) => async (changed) => {
  await load(changed.id);
  byId(id).focus();
};
byId('disable-open').addEventListener('click', () => openDisable(shown, swapped('enable-open')));
byId('enable-open').addEventListener('click', () => openEnable(shown, swapped('disable-open')));
byId('rotate-open').addEventListener('click', () => openRotate(shown, (made) => { location.hash = `#/credential/${made.id}`; }));
