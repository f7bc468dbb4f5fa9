// What the guard makes of a token. The token is in its field until it is sent.

import { SignedOut, call } from './api.js';
import { byId, el, facts, showProblem } from './dom.js';
import { badge, kindName, linkTo, nameOf, timeAgo } from './format.js';
import { proofLines } from './signing.js';

const field = byId('verify-token');
const problem = byId('verify-problem');
const panel = byId('verify-result');

let latest = 0;

export const open = () => {};
export const close = () => clear();

export function clear() {
  latest++;
  field.value = '';
  panel.hidden = true;
  byId('verify-verdict').replaceChildren();
  byId('verify-facts').replaceChildren();
  byId('verify-proofs').replaceChildren();
  showProblem(problem, null);
}

byId('verify-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = field.value.trim();
  clear();
  const mine = latest;
  if (!token) {
    showProblem(problem, new Error('There is no token in the field.'));
    field.focus();
    return;
  }
  try {
    const verdict = await call('POST', 'v1/credentials/verify', { body: { token }, changes: false });
    if (mine === latest) show(verdict);
  } catch (failure) {
    if (mine === latest && !(failure instanceof SignedOut)) showProblem(problem, failure);
  }
});

// Enter sends: a token has no second line.
field.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.isComposing) return;
  event.preventDefault();
  byId('verify-form').requestSubmit();
});

function show({ outcome, detail, credential: c, lastProofs }) {
  panel.hidden = false;
  const tone = { allowed: 'good', stale: 'warn', expired: 'warn', disabled: 'warn' }[outcome] ?? 'bad';
  byId('verify-verdict').replaceChildren(el('span', { class: `badge ${tone}` }, outcome), ' ', detail);
  facts(byId('verify-facts'), c ? [
    ['Credential', linkTo(c.id, nameOf(c))],
    ['Kind', kindName(c.kind)],
    ['Status', badge(c.status)],
    ['Last used', c.lastUsedAt ? timeAgo(c.lastUsedAt) : 'never'],
  ] : []);
  byId('verify-proofs').replaceChildren(...(lastProofs ? proofLines(lastProofs) : []));
  byId('verify-proofs-title').hidden = !lastProofs;
  byId('verify-result-title').focus();
}
