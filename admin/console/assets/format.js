// How values are shown: times, credentials and their status.

import { el, setText } from './dom.js';

const minute = 60_000, hour = 60 * minute;
export const day = 24 * hour;
const soon = 14 * day; // an expiry nearer than that is warned of

const spans = [[365 * day, 'year'], [day, 'day'], [hour, 'hour'], [minute, 'minute'], [1000, 'second']];
const inWords = new Intl.RelativeTimeFormat('en', { numeric: 'always' });
const inFull = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

export function relative(at, now = Date.now()) {
  const distance = at - now;
  // Clocks differ: what has just happened may seem to lie ahead.
  if (Math.abs(distance) < 5000) return 'just now';
  const [span, unit] = spans.find(([length, name]) => Math.abs(distance) >= length * (name === 'year' ? 2 : 1));
  return inWords.format(Math.trunc(distance / span), unit);
}

// timeAgo shows a time relative to now, and in full to whoever points at it.
export function timeAgo(text) {
  const at = new Date(text);
  return el('time', { datetime: text, title: inFull.format(at), class: 'relative' }, relative(at));
}

export const inFullText = (text) => inFull.format(new Date(text));

// exact is a time in full, to stand beside one that is relative.
export const exact = (text) => el('span', { class: 'exact' }, inFullText(text));

// timeLeft shows how long it is until then, to the second.
export function timeLeft(text) {
  const at = new Date(text);
  return el('time', { datetime: text, title: inFull.format(at), class: 'countdown' }, left(at - Date.now()));
}

export function left(distance) {
  if (distance <= 0) return 'over';
  const parts = [[Math.floor(distance / day), 'd'], [Math.floor(distance / hour) % 24, 'h'],
    [Math.floor(distance / minute) % 60, 'min'], [Math.floor(distance / 1000) % 60, 's']];
  const first = Math.max(0, parts.findIndex(([n]) => n > 0));
  return parts.slice(first, first + 2).map(([n, unit]) => `${n} ${unit}`).join(' ');
}

// tick brings the times on the page up to date.
export function tick() {
  const now = Date.now();
  for (const node of document.querySelectorAll('time.relative')) setText(node, relative(new Date(node.dateTime), now));
  for (const node of document.querySelectorAll('time.countdown')) setText(node, left(new Date(node.dateTime) - now));
}

export const nameOf = (c) => c.label || c.clientId || c.connection || `${c.kind} ${c.id.slice(-6)}`;
export const kindName = (kind) => ({ callback: 'Callback', webhook: 'Webhook', api: 'API' })[kind] ?? kind;
const statusName = (status) => ({ active: 'Active', grace: 'In grace', disabled: 'Disabled', expired: 'Expired', revoked: 'Revoked' })[status] ?? status;
export const badge = (status) => el('span', { class: `badge ${['active', 'grace', 'disabled', 'expired', 'revoked'].includes(status) ? status : ''}` }, statusName(status));
export const ownerOf = (c) => (c.kind === 'webhook' ? `${c.vendor} / ${c.connection}` : c.clientId ?? '');
// mayBreak lets a line end behind an @ rather than in the middle of a name.
export const mayBreak = (text) => text.split(/(?<=@)/).flatMap((part, i) => (i === 0 ? [part] : [el('wbr'), part]));
export const linkTo = (id, text) => el('a', { href: `#/credential/${encodeURIComponent(id)}` }, text);

export const endOf = (c) => (c.status === 'grace' ? c.graceUntil : c.expiresAt);

// expiry shows when a credential ends, and warns where that is soon or past. A grace
// that runs is its real end.
export function expiry(c) {
  const until = endOf(c);
  if (!until) return el('span', { class: 'soft' }, 'never');
  if (c.status === 'revoked') return timeAgo(until);
  const distance = new Date(until) - Date.now();
  const warning = c.status === 'grace' ? 'grace ends' : distance <= 0 ? 'expired' : distance < soon ? 'soon' : '';
  return el('span', { class: warning ? 'warn' : null }, timeAgo(until), warning ? ` (${warning})` : null);
}

// localInput is a time as an input of type datetime-local holds it.
export function localInput(text) {
  if (!text) return '';
  const at = new Date(text);
  return new Date(at - at.getTimezoneOffset() * minute).toISOString().slice(0, 16);
}
