// The fields by which a credential is given how its vendor signs. A secret is in its
// field until it is sent or the dialog closes, and is never asked back from the server.

import { byId, el } from './dom.js';
import { call } from './api.js';

const most = 4; // secrets of a credential
const own = 'own'; // the value of a scheme in words; no preset has this name

let listed = null;

// presets are those of the server, asked for once in a sign-in.
export function presets() {
  listed ??= call('GET', 'v1/schemes').then((answer) => answer.schemes);
  listed.catch(() => { listed = null; });
  return listed;
}

export const forgetPresets = () => { listed = null; };

// schemeName is what is shown of a scheme: the name of a preset, or its fields.
export const schemeName = (scheme) => (typeof scheme === 'string' ? scheme : el('code', { class: 'value' }, JSON.stringify(scheme, null, 1)));

// SchemeFields are the fields in a dialog: a select named scheme, one option of which is
// written in the page for each way of having no new scheme; and from the template a
// textarea named own for the fields of another one, and the secrets.
export class SchemeFields {
  #part; #select; #secrets; #more; #hint;

  constructor(part) {
    this.#part = part;
    part.append(fieldsOf(part.closest('dialog').id));
    this.#select = part.querySelector('[name=scheme]');
    this.#secrets = part.querySelector('[data-secrets]');
    this.#more = part.querySelector('[data-more]');
    this.#hint = part.querySelector('[data-where]');
    this.#select.addEventListener('change', () => this.#show());
    this.#more.addEventListener('click', () => this.#add().focus());
    part.closest('dialog').addEventListener('close', () => this.clear());
    this.clear();
  }

  // offer fills the select, and keeps the options that the page has.
  async offer() {
    const known = await presets();
    for (const old of this.#select.querySelectorAll('optgroup')) old.remove();
    this.#select.append(
      el('optgroup', { label: 'Vendors' }, ...known.map(({ name, title }) => el('option', { value: name }, title === name ? name : `${title} (${name})`))),
      el('optgroup', { label: 'Others' }, el('option', { value: own }, 'A scheme in JSON')));
    this.#known = new Map(known.map((preset) => [preset.name, preset]));
  }

  #known = new Map();

  // clear takes the secrets out of the page.
  clear() {
    this.#secrets.replaceChildren();
    this.#part.querySelector('[name=own]').value = '';
    this.#add();
    this.#select.selectedIndex = 0;
    this.#show();
  }

  get chosen() { return this.#select.value; }

  // value returns what the API takes as verify, or undefined where no scheme is chosen.
  value() {
    if (!this.#given) return undefined;
    const secrets = [...this.#secrets.querySelectorAll('textarea')].map((field) => withoutLineEnds(field.value)).filter(Boolean);
    if (secrets.length === 0) throw new Error('The secret by which the vendor signs is missing.');
    return { scheme: this.#scheme(), secrets };
  }

  get #given() { return this.chosen === own || this.#known.has(this.chosen); }

  #scheme() {
    if (this.chosen !== own) return this.chosen;
    try {
      const scheme = JSON.parse(this.#part.querySelector('[name=own]').value);
      if (typeof scheme === 'object' && scheme !== null) return scheme;
    } catch { /* said below, without the text */ }
    throw new Error('The scheme is no JSON object.');
  }

  #show() {
    for (const node of this.#part.querySelectorAll('[data-given]')) node.hidden = !this.#given;
    this.#part.querySelector('[data-own]').hidden = this.chosen !== own;
    const preset = this.#known.get(this.chosen);
    this.#hint.textContent = preset ? [preset.secret && `Where the vendor shows it: ${preset.secret}`, preset.notes].filter(Boolean).join(' ') : '';
    this.#more.hidden = !this.#given || this.#secrets.children.length >= most;
  }

  #add() {
    const n = this.#secrets.children.length + 1;
    const id = `${this.#select.id}-secret-${n}`;
    const field = el('textarea', { id, class: 'masked mono', rows: 1, maxlength: 2048, autocomplete: 'off', autocapitalize: 'none', autocorrect: 'off', spellcheck: 'false',
      'aria-describedby': this.#hint.id });
    this.#secrets.append(el('div', { class: 'field' }, el('label', { for: id }, n === 1 ? 'Secret' : `Secret ${n}`), field));
    this.#more.hidden = n >= most;
    return field;
  }
}

// fieldsOf returns those of the template, with ids of their own in each dialog.
function fieldsOf(dialog) {
  const fields = byId('scheme-fields').content.cloneNode(true);
  for (const name of ['id', 'for', 'aria-describedby']) {
    for (const node of fields.querySelectorAll(`[${name}]`)) node.setAttribute(name, `${dialog}-${node.getAttribute(name)}`);
  }
  return fields;
}

// withoutLineEnds: what was copied from a vendor's page often ends in one, and no secret
// does.
export const withoutLineEnds = (text) => text.replace(/^[\r\n]+|[\r\n]+$/g, '');

export const schemeFields = (id) => new SchemeFields(byId(id));
