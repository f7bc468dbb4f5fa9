// The list of credentials.

import { SignedOut, call } from './api.js';
import { byId, el, showProblem } from './dom.js';
import { badge, day, expiry, kindName, linkTo, nameOf, ownerOf, timeAgo } from './format.js';
import { openMint } from './mint.js';

const pageSize = 50;
const rows = byId('credentials-rows');
const more = byId('credentials-more');
const problem = byId('credentials-problem');
const isID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

let cursor = '', latest = 0;
let query = {}; // that of the pages on the screen, whatever the fields say by now

export const open = () => load();

export function clear() {
  latest++;
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
  byId('credentials-table').setAttribute('aria-busy', 'true');
  const asked = next ? query : filters();
  try {
    const page = await read(asked, next ? cursor : '');
    if (mine !== latest) return;
    query = asked;
    cursor = page.nextCursor ?? '';
    const added = page.credentials.map(row);
    if (next) rows.append(...added);
    else rows.replaceChildren(...added);
    // The button may go, and the focus must not go with it.
    if (next) added[0]?.querySelector('a').focus();
    more.hidden = !cursor;
    count();
  } catch (failure) {
    if (mine === latest && !(failure instanceof SignedOut)) showProblem(problem, failure);
  } finally {
    if (mine === latest) byId('credentials-table').removeAttribute('aria-busy');
  }
}

async function read(query, from) {
  const found = isID.test(query.search) && await one(query);
  if (found) return found;
  for (let pages = 0; ; pages++) {
    const page = await call('GET', 'v1/credentials', { query: { ...query, cursor: from, limit: pageSize } });
    // A page of a filtered list may be empty and have a next one.
    if (page.credentials.length > 0 || !page.nextCursor || pages === 10) return page;
    from = page.nextCursor;
  }
}

// filters is what is asked for; what is empty selects nothing.
function filters() {
  const [kind, status, days] = ['kind', 'status', 'unused'].map((name) => byId(`filter-${name}`).value);
  return { search: byId('search').value.trim(), kind, status, unusedSince: days && new Date(Date.now() - days * day).toISOString() };
}

// one is the list where somebody searches for an id: among many credentials the server
// would look through all of them. It is null where there is no such credential.
async function one({ search, kind, status, unusedSince }) {
  try {
    const c = await call('GET', `v1/credentials/${search.toLowerCase()}`);
    const unused = !unusedSince || !c.lastUsedAt || new Date(c.lastUsedAt) < new Date(unusedSince);
    return { credentials: unused && (!kind || c.kind === kind) && (!status || c.status === status) ? [c] : [] };
  } catch (failure) {
    if (failure.status === 404) return null;
    throw failure;
  }
}

function count() {
  const n = rows.children.length;
  const filtered = Object.values(query).some(Boolean);
  byId('credentials-table').hidden = n === 0;
  byId('credentials-count').textContent = n > 0 ? `${n} credential${n === 1 ? '' : 's'}${cursor ? ', and more' : ''}`
    : cursor ? 'None so far; there is more to look through.'
      : filtered ? 'No credential matches.' : 'There is no credential yet.';
}

const cell = (name, ...content) => el('td', { role: 'cell', 'data-name': name }, ...content);

function row(c) {
  return el('tr', { role: 'row' },
    el('th', { scope: 'row', role: 'rowheader' }, linkTo(c.id, nameOf(c))),
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
for (const id of ['filter-kind', 'filter-status', 'filter-unused']) byId(id).addEventListener('change', () => load());
byId('credentials-refresh').addEventListener('click', () => load());
more.addEventListener('click', () => load(true));
byId('mint-open').addEventListener('click', () => openMint(() => load()));
