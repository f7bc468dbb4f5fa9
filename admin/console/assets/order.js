// In which order credentials are shown. The server has one order, newest first; for
// another one the whole list is read, and sorted here.

import { call } from './api.js';
import { endOf, nameOf } from './format.js';

const pageSize = 1000; // the most that the server gives at once
const most = 20_000;

const time = (text, otherwise) => (text ? Date.parse(text) : otherwise);
const inWords = new Intl.Collator('en', { sensitivity: 'base', numeric: true });

const orders = {
  oldest: (a, b) => time(a.createdAt) - time(b.createdAt),
  name: (a, b) => inWords.compare(nameOf(a), nameOf(b)),
  used: (a, b) => time(b.lastUsedAt, 0) - time(a.lastUsedAt, 0),
  unused: (a, b) => time(a.lastUsedAt, 0) - time(b.lastUsedAt, 0),
  ends: (a, b) => ending(a) - ending(b),
};

// ending is when a credential ends; what has ended needs nobody's attention any more.
function ending(c) {
  if (c.status === 'revoked') return Number.MAX_SAFE_INTEGER;
  return time(endOf(c), Number.MAX_SAFE_INTEGER - 1);
}

// readSorted reads what a query selects and sorts it. It tells how many it has read so
// far, and whether there are more than it reads.
export async function readSorted(order, query, told) {
  const all = [];
  let cursor = '';
  do {
    const page = await call('GET', 'v1/credentials', { query: { ...query, cursor, limit: pageSize } });
    all.push(...page.credentials);
    cursor = page.nextCursor ?? '';
    if (!told(all.length)) return null;
  } while (cursor && all.length < most);
  return { credentials: all.sort(orders[order]), cut: Boolean(cursor) };
}
