// The state of the process that serves this page: its readiness in the header, and
// more of it in a view of its own. Neither needs a token.

import { probe } from './api.js';
import { byId, el, setText, showProblem } from './dom.js';
import { left } from './format.js';

const interval = 5000;
const pill = byId('pill');
const cards = byId('server-cards');

let timer = 0, latest = 0, detailed = false;

export function start() {
  clearTimeout(timer);
  poll();
}

export function stop() {
  latest++;
  clearTimeout(timer);
  timer = 0;
}

export function open() {
  detailed = true;
  start();
}

export function close() {
  detailed = false;
}

async function poll() {
  const mine = ++latest;
  if (!document.hidden) {
    try {
      await ask(mine);
    } catch (failure) {
      if (mine !== latest) return;
      setPill('unreachable', 'unavailable');
      cards.replaceChildren();
      const region = byId('server-problem');
      if (detailed && !region.hasChildNodes()) showProblem(region, failure);
    }
  }
  if (mine === latest) timer = setTimeout(poll, interval);
}

async function ask(mine) {
  const [ready, metrics] = await Promise.all([probe('readyz'), detailed ? probe('metrics') : null]);
  const state = parse(ready.text);
  if (mine !== latest) return;
  showProblem(byId('server-problem'), null);
  setPill({ ok: 'ready', degraded: 'degraded', unavailable: 'not ready' }[state.status] ?? state.status, state.status);
  if (!detailed) return;
  const values = read(metrics.text);
  // By the server's clock, which may not be this machine's.
  const asked = Date.parse(metrics.response.headers.get('Date')) || Date.now();
  cards.replaceChildren(...describe(state, values, asked).map(card));
  setText(byId('server-at'), `As of ${new Date().toLocaleTimeString('en-GB')}.`);
}

function setPill(text, state) {
  setText(byId('pill-state'), text);
  pill.dataset.state = state;
}

function describe({ status, checks }, values, asked) {
  const sum = (name) => [...values].filter(([key]) => key === name || key.startsWith(`${name}{`)).reduce((total, [, value]) => total + value, 0);
  const kinds = ['callback', 'webhook', 'api'].map((kind) => `${values.get(`hookgate_keyring_credentials{kind="${kind}"}`) ?? 0} ${kind}`);
  return [
    { name: 'This process', value: { ok: 'Ready', degraded: 'Degraded', unavailable: 'Not ready' }[status], tone: { ok: 'good', degraded: 'warn' }[status] ?? 'bad',
      note: { ok: 'It decides on requests.', degraded: 'It decides from memory, for now.', unavailable: 'It answers 503 to vendors.' }[status] },
    { name: 'Keyring', value: { ok: 'Fresh', stale: 'Stale', unloaded: 'Not loaded' }[checks.keyring.status], tone: checks.keyring.status === 'ok' ? 'good' : 'bad',
      note: `Proved equal to Redis ${checks.keyring.ageSeconds.toFixed(1)} s ago.` },
    { name: 'Redis', value: checks.redis.status === 'ok' ? 'Up' : 'Down', tone: checks.redis.status === 'ok' ? 'good' : 'bad',
      note: checks.redis.status === 'ok' ? 'It answers, writes included.' : 'Changes are refused until it is back.' },
    { name: 'Log', value: checks.log?.status === 'losing' ? 'Loses lines' : 'Written', tone: checks.log?.status === 'losing' ? 'warn' : 'good',
      note: checks.log?.status === 'losing' ? 'Whoever reads it has stopped, or the disk is full.' : 'Every line was written.' },
    ...(checks.seal?.status === 'unsealable' ? [{ name: 'Signing secrets', value: 'Cannot be opened', tone: 'warn',
      note: 'No seal_key of this process opens some of them: it answers 503 to these vendors.' }] : []),
    { name: 'Live credentials', value: String(sum('hookgate_keyring_credentials')), note: `Of all tenants: ${kinds.join(', ')}.` },
    { name: 'Last uses to be written', value: String(sum('hookgate_usage_pending')), note: 'Credentials whose last use is not in Redis yet.' },
    { name: 'Version', value: version(values), note: `Up for ${left(asked - values.get('process_start_time_seconds') * 1000)}.` },
    { name: 'Keyring read anew', value: String(sum('hookgate_keyring_resyncs_total')), note: 'Times since the start.' },
  ];
}

// version is a label of a metric that is always 1.
const version = (values) => [...values.keys()].map((key) => /^hookgate_build_info\{.*version="([^"]*)"/.exec(key)?.[1]).find(Boolean) ?? 'unknown';

const card = ({ name, value, note, tone }) => el('section', { class: 'card' },
  el('h2', {}, name), el('p', { class: `figure ${tone ?? ''}` }, value), el('p', { class: 'hint' }, note));

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('The server answers, but not as Hookgate does.');
  }
}

// read parses the Prometheus text format as far as it has ours in it.
function read(text) {
  const samples = text.matchAll(/^((?:hookgate_|process_)[a-z_]+(?:\{[^}]*\})?) (\S+)/gm);
  return new Map([...samples].map(([, key, value]) => [key, Number(value)]));
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && timer) start();
});
