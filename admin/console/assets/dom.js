// Building and finding elements. What comes from elsewhere only ever becomes text:
// a label may hold anything, and the page must not read it as markup.

export const byId = (id) => document.getElementById(id);

// el builds an element. An attribute that begins with "on" is a listener; one that is
// false, null or undefined is left out, and true stands without a value.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// setText leaves a text that is right alone: a change is announced where it is live.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// facts fills a list of names and values, of one part or several; what has no value is
// left out.
export function facts(list, pairs) {
  list.replaceChildren(...pairs.filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, ...[value].flat()))));
}

// showProblem shows what went wrong in a region that screen readers announce, or
// clears it where there is nothing.
export function showProblem(region, problem) {
  if (!problem) {
    region.replaceChildren();
    return;
  }
  const traces = [problem.code, problem.requestId && `request ${problem.requestId}`].filter(Boolean).join(' · ');
  region.replaceChildren(el('div', { class: 'problem' },
    el('p', {}, problem.message),
    problem.errors?.length ? el('ul', {}, ...problem.errors.map((e) => el('li', {}, fieldError(e)))) : null,
    traces ? el('p', { class: 'trace' }, traces) : null));
}

// fieldError names the field as the form does: body.expiresAt is not a word of ours.
function fieldError({ location = '', message = '' }) {
  const field = location.replace(/^(body|query|header)\.?/, '');
  return field ? `${field}: ${message}` : message;
}
