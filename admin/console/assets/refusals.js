// When the guard last refused the token of a credential, and for whom.

import { byId, el } from './dom.js';
import { timeAgo } from './format.js';

// outcomes say for people what the guard's words mean.
const outcomes = {
  revoked: 'the token is revoked',
  expired: 'past its expiry, or its grace is over',
  disabled: 'the credential is disabled',
  kind: 'a token of another kind than the path takes',
  vendor: 'in the path of another vendor',
  source_ip: 'the address is not allowed',
  scope: 'the credential lacks a scope',
  signature: 'the vendor’s proof is missing or wrong',
  tenant: 'the guard does not serve this tenant',
  throttled: 'refused, and too often before',
};

export function showRefusals(refusals = []) {
  byId('refusals-panel').hidden = refusals.length === 0;
  byId('credential-refusals').replaceChildren(...refusals.map(({ at, outcome, address }) => el('li', {},
    timeAgo(at), ' ', el('span', { class: `badge ${outcome === 'disabled' ? 'warn' : 'bad'}` }, outcome), ' ', el('span', { class: 'soft' }, outcomes[outcome] ?? ''),
    ...(address ? [' from ', el('code', {}, address)] : []))));
}
