// The one time that a token is shown. It leaves the page with the dialog.

import { byId, el } from './dom.js';
import { nameOf } from './format.js';

const dialog = byId('secret');
const body = byId('secret-body');
const said = byId('secret-said');

// putAway takes the secret out of the page and closes the dialog. The close event comes
// later, and is there for whatever else may close it.
export function putAway() {
  forget();
  dialog.close();
}

function forget() {
  body.replaceChildren();
  said.textContent = '';
}

dialog.addEventListener('close', forget);
byId('secret-close').addEventListener('click', putAway);
dialog.addEventListener('cancel', (event) => {
  // Escape must not throw away what nobody can show again.
  event.preventDefault();
  said.textContent = 'Store it first, then close with the button.';
});

export const secretIsShown = () => dialog.open;

// showSecret shows what a mint or a rotation returned, and resolves when the dialog
// has closed. The secret is that of an api credential, which was made here.
export function showSecret(made, secret) {
  byId('secret-title').textContent = `${made.supersedes ? 'Rotated' : 'Minted'}: ${nameOf(made)}`;
  body.replaceChildren(...contents(made, secret));
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
}

function contents(made, secret) {
  if (made.kind === 'api') {
    return [copyable('Client id', made.clientId), copyable('Client secret', secret),
      copyable('Try it on a path of yours', `curl -sS -i -u ${quote(`${made.clientId}:${secret}`)} "$HOOKGATE_URL/<path>"`)];
  }
  if (made.kind === 'webhook') {
    const url = made.webhookUrl;
    return [
      url ? copyable('URL to register at the vendor', url) : el('p', { class: 'problem' }, 'This server has no public_url: the URL cannot be told.'),
      copyable('Token', made.token),
      url ? copyable('Try it: a probe, which reaches nobody and answers 204', `curl -sS -i ${quote(url)}`) : null,
    ].filter(Boolean);
  }
  const url = made.webhookUrlHint ? quote(made.webhookUrlHint.replace('{exceptionId}', 'test')) : '"$HOOKGATE_URL/v1/exceptions/test/callback"';
  return [copyable('Token', made.token),
    copyable('Try it: a callback for the exception “test”', `curl -sS -i ${url} -H ${quote(`X-Callback-Token: ${made.token}`)} -H 'Content-Type: application/json' -d '{"status":"RESOLVED"}'`)];
}

// quote makes one word for a shell.
const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

let copyables = 0;

function copyable(label, text) {
  const id = `copyable-${++copyables}`;
  const value = el('code', { class: 'value', id, tabindex: '0', role: 'group', 'aria-labelledby': `${id}-label` }, text);
  const button = el('button', { type: 'button', 'aria-label': `Copy: ${label}`, onclick: () => copy(value, label) }, 'Copy');
  return el('div', { class: 'copyable' }, el('h3', { id: `${id}-label` }, label), el('div', { class: 'row' }, value, button));
}

// copy puts a text on the clipboard, or selects it where the browser does not let a
// page do so, as on an address without TLS.
async function copy(value, label) {
  try {
    await navigator.clipboard.writeText(value.textContent);
    said.textContent = `Copied: ${label}.`;
  } catch {
    getSelection().selectAllChildren(value);
    said.textContent = 'Selected. Copy it with Ctrl+C or ⌘C.';
  }
}
