// The audit log.

import { SignedOut, call } from './api.js';
import { moment } from './dialog.js';
import { byId, el, showProblem } from './dom.js';
import { changeList, eventText, idLink } from './changes.js';
import { exact, linkTo, mayBreak, timeAgo } from './format.js';

const pageSize = 50;
const rows = byId('audit-rows');
const more = byId('audit-more');
const problem = byId('audit-problem');

let cursor = '', latest = 0;

// open shows the log, of one credential where an id is given.
export function open(id = '') {
  byId('audit-credential').value = id;
  return load();
}

export function clear() {
  latest++;
  rows.replaceChildren();
  more.hidden = true;
  byId('audit-count').textContent = '';
  byId('audit-filter').reset();
  showProblem(problem, null);
}

async function load(next = false) {
  const mine = ++latest;
  showProblem(problem, null);
  try {
    const page = await read(next ? cursor : '');
    if (mine !== latest) return;
    cursor = page.nextCursor ?? '';
    const added = page.entries.map(row);
    if (next) rows.append(...added);
    else rows.replaceChildren(...added);
    if (next) added[0]?.focus();
    more.hidden = !cursor;
    const n = rows.children.length;
    byId('audit-table').hidden = n === 0;
    byId('audit-count').textContent = n === 0 ? 'No entry matches.' : `${n} entr${n === 1 ? 'y' : 'ies'}${cursor ? ', and more' : ''}`;
  } catch (failure) {
    if (mine === latest && !(failure instanceof SignedOut)) showProblem(problem, failure);
  }
}

async function read(from) {
  const [credentialId, actor, action] = ['credential', 'actor', 'action'].map((name) => byId(`audit-${name}`).value.trim());
  const [since, until] = ['since', 'until'].map((name) => moment(byId(`audit-${name}`)));
  const query = { credentialId, actor, action, since, until, limit: pageSize };
  for (let pages = 0; ; pages++) {
    const page = await call('GET', 'v1/audit', { query: { ...query, cursor: from } });
    if (page.entries.length > 0 || !page.nextCursor || pages === 10) return page;
    from = page.nextCursor;
  }
}

// credential is what an entry was about, by its label where it had one.
function credential({ credentialId: id, label }) {
  if (!id) return [label ?? '–'];
  return label ? [linkTo(id, label), el('code', { class: 'id' }, id)] : [idLink(id)];
}

const cell = (name, ...content) => el('td', { role: 'cell', 'data-name': name }, ...content);

function row(entry) {
  const text = eventText(entry);
  const changed = changeList(entry.changes);
  return el('tr', { role: 'row', tabindex: '-1' },
    el('th', { scope: 'row', role: 'rowheader' }, timeAgo(entry.at), exact(entry.at)),
    cell('Who', ...mayBreak(entry.actor ?? '–'), entry.address ? el('span', { class: 'exact' }, entry.address) : null),
    cell('Action', el('span', { class: `badge ${{ refused: 'warn', disable: 'warn', revoke: 'bad' }[entry.action] ?? ''}` }, entry.action)),
    cell('Credential', ...credential(entry)),
    cell('What and why', ...(text.length || changed ? [...text, changed] : ['–'])),
    cell('Request', el('code', { class: 'id' }, entry.requestId ?? '–')));
}

byId('audit-filter').addEventListener('submit', (event) => {
  event.preventDefault();
  load();
});
for (const id of ['audit-action', 'audit-since', 'audit-until']) byId(id).addEventListener('change', () => load());
more.addEventListener('click', () => load(true));
