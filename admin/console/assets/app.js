// The console: who is signed in, and which view is shown.

import { grant, may } from './access.js';
import { SignedOut, whenUnauthorized } from './api.js';
import { byId, el, setText, showProblem } from './dom.js';
import { left, tick } from './format.js';
import { hush, say, warn } from './notice.js';
import { forgetPresets } from './scheme.js';
import { putAway, secretIsShown } from './secret.js';
import { session, signIn, signOut } from './session.js';
import { choose, end, learn, offer } from './signin.js';
import * as audit from './audit.js';
import * as credential from './credential.js';
import * as credentials from './credentials.js';
import * as server from './server.js';
import * as verify from './verify.js';

const warning = 5 * 60_000;
const views = { credentials, credential, verify, audit, server };
const needs = { verify: 'readAll', audit: 'readAll' };
const dialogs = [...document.querySelectorAll('dialog')];
const jwt = byId('jwt');

let warned = false;

byId('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const problem = byId('sign-in-problem');
  showProblem(problem, null);
  try {
    signIn(jwt.value);
    await learn(); // whether it is one that the server takes
  } catch (failure) {
    if (session()) signOut();
    if (!(failure instanceof SignedOut)) showProblem(problem, failure);
    jwt.focus();
    return;
  }
  arrive();
});

// arrive goes on once it is known who is signed in. Of several tenants one is chosen first.
function arrive() {
  if (session().claims.tenant) enter();
  else pick();
}

function pick() {
  choose(() => {
    forget();
    location.hash = '#/credentials'; // nothing that has an id is another tenant's
    enter();
  });
  byId('session').hidden = byId('nav').hidden = true;
  show('tenant');
}

// Enter signs in: a JWT has no second line.
jwt.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.isComposing) return;
  event.preventDefault();
  byId('sign-in').requestSubmit();
});

function enter() {
  jwt.value = '';
  warned = false;
  hush();
  const { claims } = session();
  byId('who-tenant').replaceChildren(el('code', { title: claims.tenant }, claims.tenant));
  byId('who-role').textContent = claims.role;
  byId('who-ends').textContent = `${session().cookie ? 'Session' : 'JWT'} ends`;
  byId('tenant-change').hidden = claims.tenants.length < 2;
  grant(claims.role);
  byId('nav').hidden = byId('session').hidden = false;
  server.start();
  watch();
  route();
}

// forget takes away what was shown of a tenant.
function forget() {
  server.stop();
  putAway();
  for (const dialog of dialogs) dialog.close();
  for (const view of [credentials, credential, verify, audit]) view.clear();
  forgetPresets();
}

// leave forgets everything, and says why with one of the ways to tell it.
function leave(reason = '', tell = say) {
  signOut();
  forget();
  byId('tenant-list').replaceChildren();
  byId('nav').hidden = byId('session').hidden = true;
  for (const id of ['who-tenant', 'who-role', 'who-expires']) byId(id).replaceChildren();
  hush();
  if (reason) tell(reason);
  show('sign-in');
  jwt.value = '';
  jwt.focus();
}

// expire ends the session, but not what is on the screen while that is a token which
// nobody can show again.
function expire(reason) {
  signOut();
  if (!secretIsShown()) leave(reason, warn);
  else byId('secret').addEventListener('close', () => setTimeout(leave, 0, reason, warn), { once: true });
}

byId('sign-out').addEventListener('click', () => end().then(() => leave('Signed out.'), (failure) => warn(failure.message)));
byId('tenant-change').addEventListener('click', pick);
// A page that the browser keeps for the way back must not be signed in then.
addEventListener('pagehide', () => session() && leave());
whenUnauthorized((refusal) => {
  if (!byId('view-sign-in').hidden) return; // the form says it
  expire(`Signed out: ${refusal.message} (${refusal.code}, request ${refusal.requestId})`);
});

function watch() {
  tick();
  const expires = session()?.claims.expires;
  if (!expires) return;
  const remaining = expires - Date.now();
  setText(byId('who-expires'), remaining > 0 ? `in ${left(remaining)}` : 'over');
  byId('who-expires').classList.toggle('warn', remaining < warning);
  if (remaining <= 0) {
    expire(`Signed out: the ${session().noun} has expired.`);
  } else if (remaining < warning && !warned) {
    warned = true;
    warn(`The ${session().noun} expires in ${left(remaining)}. Sign in with a new one before that.`);
  }
}
setInterval(watch, 1000);

// route shows the view that the address names. It names no secret: ids are none.
function route() {
  if (!session()) {
    show('sign-in');
    return;
  }
  for (const view of Object.values(views)) view.close?.();
  if (['', '#', '#/'].includes(location.hash)) {
    location.replace('#/credentials');
    return;
  }
  const { name, id } = named(location.hash);
  show(name);
  views[name]?.open(id);
}

// named reads an address. What names no view, or none for this operator, gets a view that
// says so.
function named(hash) {
  const unknown = { name: 'unknown' };
  const [, name, id, ...rest] = hash.split('/');
  if (!Object.hasOwn(views, name ?? '') || rest.length > 0 || (id !== undefined && !['credential', 'audit'].includes(name)) || (name === 'credential' && !id)) return unknown;
  if (needs[name] && !may(needs[name])) return unknown;
  try {
    return { name, id: id && decodeURIComponent(id) };
  } catch {
    return unknown;
  }
}

function show(name) {
  for (const view of document.querySelectorAll('main > section')) view.hidden = view.id !== `view-${name}`;
  for (const link of byId('nav').children) {
    const current = link.hash.slice(2) === (name === 'credential' ? 'credentials' : name);
    if (current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const title = byId(`${name}-title`);
  document.title = `${title.firstChild.textContent.trim()} · Hookgate console`;
  if (name !== 'sign-in') title.focus({ preventScroll: true });
  scrollTo(0, 0);
}

addEventListener('hashchange', route);
// begin goes on by itself where somebody is signed in at the issuer.
const begin = async () => { if (await offer()) arrive(); };
addEventListener('pageshow', begin);
byId('skip').addEventListener('click', (event) => {
  event.preventDefault(); // the fragment is the name of the view
  byId('main').focus();
});
jwt.focus();
