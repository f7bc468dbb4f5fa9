// What the operator is told of what they did. It belongs to the view in which it is
// said, and ends by itself; a warning stays until somebody has read it.

import { byId, el } from './dom.js';

const lasting = 10_000;
const region = byId('notice');

let timer = 0, place = '';

// say tells the outcome of what the operator did, to eyes and screen readers. It goes
// when the operator leaves the view, which is the one that they look at unless another
// address is given.
export const say = (text, at = location.hash) => show(text, 'said', at);

// warn is for what the operator has to do something about.
export const warn = (text, at = location.hash) => show(text, 'warning', at);

export function hush() {
  clearTimeout(timer);
  region.replaceChildren();
}

function show(text, tone, at) {
  hush();
  place = at;
  const close = el('button', { type: 'button', 'aria-label': 'Close the message', onclick: hush }, '✕');
  region.replaceChildren(el('div', { class: tone }, el('p', {}, text), close));
  if (tone === 'said') end();
}

function end() {
  clearTimeout(timer);
  timer = setTimeout(hush, lasting);
}

// Whoever reads it or is about to close it is not hurried.
for (const [event, listener] of [['mouseenter', () => clearTimeout(timer)], ['focusin', () => clearTimeout(timer)], ['mouseleave', resume], ['focusout', resume]]) {
  region.addEventListener(event, listener);
}

function resume() {
  if (region.querySelector('.said')) end();
}

addEventListener('hashchange', () => location.hash !== place && hush());
