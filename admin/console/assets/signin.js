// Signing in at the organisation's issuer, and choosing one of several tenants. Who signs
// in there has a cookie that no script can read, and not a JWT in this page.

import { call, probe } from './api.js';
import { byId, el } from './dom.js';
import { actFor, resume, session, signOut } from './session.js';

// offer shows the way to the issuer, where there is one. It reports whether somebody is
// signed in there already.
export async function offer() {
  const { issuer, signedIn } = await probe('console/sign-in', 'same-origin').then(({ text }) => JSON.parse(text)).catch(() => ({}));
  if (!issuer) return false;
  byId('issuer-name').textContent = new URL(issuer).host;
  byId('issuer').hidden = false;
  if (!signedIn || session()) return false;
  const mine = resume();
  try {
    await learn();
  } catch {
    if (session() === mine) signOut();
    return false;
  }
  return session() === mine;
}

// learn has the server say who is signed in, and whether they may be.
export async function learn() {
  const mine = session();
  mine.learn(await call('GET', 'v1/me'));
}

// end ends the session at the server, for all copies of its cookie. A JWT cannot be ended.
export async function end() {
  const mine = session();
  if (!mine?.cookie) return;
  const response = await fetch('console/logout', { method: 'POST', headers: mine.headers, credentials: 'same-origin', redirect: 'error', cache: 'no-store' }).catch(() => null);
  if (!response?.ok) throw new Error('The server did not end the session. Try again; it ends by itself when it has not been used for a while.');
}

// choose lets somebody of several tenants choose, and then goes on.
export function choose(then) {
  const { tenants, tenant } = session().claims;
  byId('tenant-list').replaceChildren(...tenants.map((id) => el('li', {}, el('button', {
    type: 'button', class: 'mono', 'aria-current': id === tenant && 'true',
    onclick: () => { actFor(id); then(); },
  }, id))));
}
