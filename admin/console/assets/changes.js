// What an audit entry says beyond its action: the reason, the detail, and what fields
// were and became.

import { el } from './dom.js';
import { inFullText, linkTo } from './format.js';

const absent = { expiresAt: 'never', graceUntil: 'none', allowedIps: 'any', verify: 'as the configuration has it' };
const names = { label: 'Label', expiresAt: 'Expires', allowedIps: 'Allowed addresses', graceUntil: 'Grace until', verify: 'How the vendor signs', scopes: 'Scopes', metadata: 'Metadata', status: 'Status' };
const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

export const idLink = (id) => linkTo(id, el('code', { class: 'id' }, id));

// eventText is what there is to say of an entry in a line, in parts. The detail of a
// rotation is the id of the new credential.
export function eventText({ action, reason, detail }) {
  const what = detail && action === 'rotate' ? ['replaced by ', idLink(detail)] : [detail];
  return [reason, reason && detail && ' – ', ...what].filter(Boolean);
}

// changeList is what a change changed, field by field; null where it has nothing of it.
export function changeList(changes) {
  const fields = Object.entries(changes ?? {});
  if (fields.length === 0) return null;
  return el('ul', { class: 'changes' }, ...fields.map(([field, { from, to } = {}]) => el('li', {},
    el('span', { class: 'soft' }, `${names[field] ?? field}: `),
    el('span', { class: 'from' }, valueText(field, from)),
    el('span', { class: 'soft', role: 'img', 'aria-label': 'became' }, ' → '),
    el('span', { class: 'to' }, valueText(field, to)))));
}

function valueText(field, value) {
  if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return absent[field] ?? 'none';
  if (field === 'verify') return verifyText(value);
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object') return JSON.stringify(value);
  return isTime.test(value) ? inFullText(value) : String(value);
}

// verifyText: of secrets there is only how many there are, and when they were changed.
function verifyText({ scheme, secrets, changedAt, graceUntil }) {
  return [
    typeof scheme === 'string' ? scheme : JSON.stringify(scheme), `${secrets} secret${secrets === 1 ? '' : 's'}`,
    changedAt && `of ${inFullText(changedAt)}`, graceUntil && `and the one before until ${inFullText(graceUntil)}`,
  ].filter(Boolean).join(', ');
}
