// The two credentials of a rotation, side by side: which of them is still used, and
// for how long the old one works.

import { SignedOut, call } from './api.js';
import { byId, el, facts, setText, showProblem } from './dom.js';
import { badge, linkTo, relative, timeAgo, timeLeft } from './format.js';
import { openFinish } from './change.js';

const interval = 5000; // about how often last uses are written
const panel = byId('pair');
const problem = byId('pair-problem');

let timer = 0, latest = 0, old = null, whenChanged = () => {};

export function clearPair() {
  latest++;
  clearTimeout(timer);
  old = null;
  panel.hidden = true;
  byId('pair-verdict').textContent = '';
  for (const id of ['pair-old', 'pair-new']) byId(id).replaceChildren();
  showProblem(problem, null);
}

// showPair shows the rotation that a credential was part of, its own replacement
// before the one that made it. While both work it is asked again and again.
export async function showPair(c, onChange) {
  const [oldID, newID] = c.supersededBy ? [c.id, c.supersededBy] : [c.supersedes, c.id];
  if (!oldID) {
    clearPair();
    return;
  }
  whenChanged = onChange;
  await refresh(oldID, newID);
}

async function refresh(oldID, newID) {
  const mine = ++latest;
  clearTimeout(timer);
  try {
    const [before, after] = await Promise.all([oldID, newID].map((id) => call('GET', `v1/credentials/${encodeURIComponent(id)}`)));
    if (mine !== latest) return;
    showProblem(problem, null);
    show(before, after);
  } catch (failure) {
    if (mine !== latest || failure instanceof SignedOut) return;
    if (!problem.hasChildNodes()) showProblem(problem, failure); // said once, not every five seconds
  }
  if (mine === latest && (!old || old.status === 'grace')) timer = setTimeout(again, interval, oldID, newID);
}

// again waits while nobody looks.
function again(oldID, newID) {
  if (!document.hidden) refresh(oldID, newID);
  else timer = setTimeout(again, interval, oldID, newID);
}

function show(before, after) {
  const ended = old?.status === 'grace' && before.status !== 'grace';
  old = before;
  panel.hidden = false;
  byId('finish-open').hidden = before.status !== 'grace';
  setText(byId('pair-verdict'), verdict(before, after));
  fill(byId('pair-old'), before, before.status === 'grace' ? ['Refused in', timeLeft(before.graceUntil)] : ['Ended', timeAgo(before.revokedAt ?? before.graceUntil ?? after.createdAt)]);
  fill(byId('pair-new'), after, ['Made', timeAgo(after.createdAt)]);
  if (ended) whenChanged();
}

const fill = (list, c, last) => facts(list, [
  ['Id', linkTo(c.id, el('code', {}, c.id))],
  ['Status', badge(c.status)],
  ['Last used', c.lastUsedAt ? timeAgo(c.lastUsedAt) : 'never'],
  last,
]);

// verdict says whether the rotation can be finished.
function verdict(before, after) {
  if (before.status !== 'grace') return 'The old credential is refused.';
  const oldUsed = before.lastUsedAt && new Date(before.lastUsedAt) > new Date(after.createdAt);
  if (oldUsed && after.lastUsedAt) return `Both are used, the old one ${relative(new Date(before.lastUsedAt))}. Wait until nobody uses it.`;
  if (oldUsed) return `Only the old one has been used since the rotation, ${relative(new Date(before.lastUsedAt))}. Do not finish yet.`;
  if (after.lastUsedAt) return 'Only the new one has been used since the rotation. You can finish.';
  return 'Neither has been used since the rotation.';
}

byId('finish-open').addEventListener('click', () => openFinish(old, () => {
  old = null; // the change is known already
  whenChanged();
  byId('pair-title').focus();
}));
