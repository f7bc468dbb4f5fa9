// The list of credentials.

import { SignedOut, call } from './api.js';
import { byId, el, showProblem } from './dom.js';
import { badge, day, expiry, kindName, linkTo, nameOf, ownerOf, timeAgo } from './format.js';
import { openMint } from './mint.js';
import { readSorted } from './order.js';

const pageSize = 50;
const table = byId('credentials-table');
const rows = byId('credentials-rows');
const more = byId('credentials-more');
const problem = byId('credentials-problem');
const isID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

let latest = 0;
let list = null; // what the rows are of, whatever the fields say by now

export const open = () => load();

export function clear() {
  latest++;
  list = null;
  rows.replaceChildren();
  more.hidden = true;
  byId('credentials-count').textContent = '';
  byId('credentials-filter').reset();
  showProblem(problem, null);
}

// load fills the list from its beginning, or adds the next page to it. Only the
// latest request may: answers can overtake each other.
async function load(next = false) {
  const mine = ++latest;
  showProblem(problem, null);
  table.setAttribute('aria-busy', 'true');
  try {
    const asked = next ? list : { query: filters(), order: byId('sort').value, cursor: '', waiting: [] };
    const page = await read(asked, mine);
    if (mine !== latest) return;
    list = { ...asked, ...page };
    const added = list.waiting.splice(0, pageSize).map(row);
    if (next) rows.append(...added);
    else rows.replaceChildren(...added);
    // The button may go, and the focus must not go with it.
    if (next) added[0]?.querySelector('a').focus();
    more.hidden = !list.cursor && list.waiting.length === 0;
    count();
  } catch (failure) {
    if (mine === latest && !(failure instanceof SignedOut)) showProblem(problem, failure);
  } finally {
    if (mine === latest) table.removeAttribute('aria-busy');
  }
}

// read returns what waits to be shown.
async function read({ query, order, cursor, waiting }, mine) {
  if (waiting.length > 0) return {};
  const found = !cursor && isID.test(query.search) && await one(query);
  if (found) return found;
  if (order) {
    const sorted = await readSorted(order, query, (n) => {
      if (mine === latest && n > pageSize) byId('credentials-count').textContent = `Reading: ${n} so far.`;
      return mine === latest;
    });
    return sorted && { waiting: sorted.credentials, cut: sorted.cut };
  }
  let from = cursor;
  for (let pages = 0; ; pages++) {
    const page = await call('GET', 'v1/credentials', { query: { ...query, cursor: from, limit: pageSize } });
    from = page.nextCursor ?? '';
    // A page of a filtered list may be empty and have a next one.
    if (page.credentials.length > 0 || !from || pages === 10) return { waiting: page.credentials, cursor: from };
  }
}

// filters is what is asked for; what is empty selects nothing.
function filters() {
  const [kind, status, unused, ends] = ['kind', 'status', 'unused', 'ends'].map((name) => byId(`filter-${name}`).value);
  return {
    search: byId('search').value.trim(), kind, status, unusedSince: unused && new Date(Date.now() - unused * day).toISOString(),
    expiresBefore: ends && new Date(Date.now() + ends * day).toISOString(),
    hideRevoked: byId('hide-revoked').checked && 'true',
  };
}

// one is the list where somebody searches for an id: among many credentials the server
// would look through all of them. It is null where there is no such credential.
async function one({ search, kind, status, unusedSince, expiresBefore, hideRevoked }) {
  try {
    const c = await call('GET', `v1/credentials/${search.toLowerCase()}`);
    const unused = !unusedSince || !c.lastUsedAt || new Date(c.lastUsedAt) < new Date(unusedSince);
    const hidden = (hideRevoked && c.status === 'revoked') || (expiresBefore && (c.revokedAt || !c.expiresAt || new Date(c.expiresAt) >= new Date(expiresBefore)));
    return { waiting: unused && !hidden && (!kind || c.kind === kind) && (!status || c.status === status) ? [c] : [] };
  } catch (failure) {
    if (failure.status === 404) return null;
    throw failure;
  }
}

function count() {
  const n = rows.children.length, waiting = list.waiting.length;
  const filtered = Object.values(list.query).some(Boolean);
  table.hidden = n === 0;
  const of = waiting > 0 ? `${n} of ${n + waiting} credentials` : `${n} credential${n === 1 ? '' : 's'}`;
  byId('credentials-count').textContent = n > 0 ? `${of}${list.cursor ? ', and more' : ''}${list.cut ? '; there are more than can be sorted: search for a part of them' : ''}`
    : list.cursor ? 'None so far; there is more to look through.'
      : filtered ? 'No credential matches.' : 'There is no credential yet.';
}

const cell = (name, ...content) => el('td', { role: 'cell', 'data-name': name }, ...content);

function row(c) {
  return el('tr', { role: 'row' },
    el('th', { scope: 'row', role: 'rowheader' }, linkTo(c.id, nameOf(c)), c.tokenHint ? el('code', { class: 'token-hint' }, `${c.tokenHint}…`) : null),
    cell('Kind', kindName(c.kind)),
    cell('Belongs to', ownerOf(c) || el('span', { class: 'soft' }, '–')),
    cell('Status', badge(c.status)),
    cell('Last used', c.lastUsedAt ? timeAgo(c.lastUsedAt) : el('span', { class: 'soft' }, 'never')),
    cell('Expires', expiry(c)),
    cell('Created', timeAgo(c.createdAt)));
}

byId('credentials-filter').addEventListener('submit', (event) => {
  event.preventDefault();
  load();
});
for (const id of ['filter-kind', 'filter-unused', 'filter-ends', 'sort']) byId(id).addEventListener('change', () => load());
// Of these two the later word counts: together they would find nothing.
byId('filter-status').addEventListener('change', (event) => {
  if (event.target.value === 'revoked') byId('hide-revoked').checked = false;
  load();
});
byId('hide-revoked').addEventListener('change', (event) => {
  if (event.target.checked && byId('filter-status').value === 'revoked') byId('filter-status').value = '';
  load();
});
byId('credentials-refresh').addEventListener('click', () => load());
more.addEventListener('click', () => load(true));
byId('mint-open').addEventListener('click', () => openMint(() => load()));
