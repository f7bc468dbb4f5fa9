// Requests to the admin API. Addresses are relative to the page, so that it works
// below whatever path an ingress puts it.

import { session } from './session.js';

const patience = 30_000;

// A Refusal is why a request did not do what it was for: the server's problem
// document, or that there was no answer.
export class Refusal extends Error {
  constructor(problem, response) {
    super(problem.detail || `The server answers ${response.status}, but not as Hookgate does.`);
    this.status = response?.status ?? 0;
    this.code = problem.code ?? '';
    this.errors = problem.errors ?? [];
    this.requestId = response?.headers.get('X-Request-Id') ?? '';
    this.retryAfter = response?.headers.get('Retry-After') ?? '';
    if (this.retryAfter) this.message += ` Try again in ${this.retryAfter} s.`;
  }
}

// SignedOut: the operator left before the answer came, which is nobody's now.
export class SignedOut extends Error {}

let onUnauthorized = () => {};
export const whenUnauthorized = (listener) => { onUnauthorized = listener; };

// call makes a request in the operator's name and returns the answer's body. With an
// idempotency key it can be made again without doing it twice.
export async function call(method, path, { query = {}, body, key, changes = method !== 'GET' } = {}) {
  const mine = session();
  if (!mine) throw new SignedOut();
  const headers = { ...mine.headers };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (key) headers['Idempotency-Key'] = key;
  const outcome = await send(path + queryString(query), { method, headers, credentials: mine.credentials, body: body && JSON.stringify(body) }, changes).then(answerOf, (failure) => failure);
  if (mine.ended) throw new SignedOut(); // whatever it was, it is not shown any more
  if (!(outcome instanceof Refusal)) return outcome;
  if (outcome.status === 401) onUnauthorized(outcome);
  throw outcome;
}

// probe asks what needs no token.
export async function probe(path, credentials = 'omit') {
  const response = await send(path, { credentials });
  return { response, text: await response.text() };
}

// send says of a request without an answer what the operator has to know: one that
// changes something may have done so.
async function send(path, options, changes = false) {
  try {
    return await fetch(path, {
      ...options, cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(patience),
    });
  } catch {
    throw new Refusal({ detail: `The server does not answer.${changes ? ' Whether it did what was asked is not known.' : ''}` });
  }
}

async function answerOf(response) {
  const answer = await response.json().catch(() => null);
  return response.ok && answer ? answer : new Refusal(answer ?? {}, response);
}

function queryString(query) {
  const given = Object.entries(query).filter(([, value]) => value);
  return given.length ? `?${new URLSearchParams(given)}` : '';
}

// An Attempt keeps the idempotency key of a request for as long as it stays the same
// request: what is sent again after a lost answer makes nothing twice, and what was
// changed meanwhile is another request.
export class Attempt {
  #text; #key;

  key(body) {
    const text = JSON.stringify(body);
    if (text !== this.#text) [this.#text, this.#key] = [text, randomText(16)];
    return this.#key;
  }
}

// randomText returns so many random bytes in base64url. crypto.randomUUID exists only
// where the page came over TLS or from this machine.
export function randomText(bytes) {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return btoa(String.fromCharCode(...random)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
