// Who is signed in. A JWT is in this variable and nowhere else: no storage, cookie
// or URL keeps it, so that reloading or leaving the page forgets it. Who signed in at an
// issuer has none here: a cookie that the page cannot read stands for it.

let current = null;

// A Session is one sign-in. What was asked in one must not be shown in the next.
class Session {
  #jwt;
  #ended = new AbortController();

  constructor(jwt, claims) {
    this.#jwt = jwt;
    this.cookie = !jwt;
    this.claims = claims;
  }

  // headers prove who asks, and say for which tenant. No other site can add the one beside
  // the cookie.
  get headers() {
    const headers = this.cookie ? { 'X-Hookgate-Console': '1' } : { Authorization: `Bearer ${this.#jwt}` };
    if (this.claims.tenant) headers['X-Hookgate-Tenant'] = this.claims.tenant;
    return headers;
  }

  get credentials() { return this.cookie ? 'same-origin' : 'omit'; }
  get noun() { return this.cookie ? 'session' : 'JWT'; }

  // learn takes over what the server says of the operator: how it reads the claims is its
  // configuration's.
  learn({ role, tenant, tenants, expiresAt }) {
    this.claims = { role, tenant, tenants, expires: Date.parse(expiresAt) };
  }

  actFor(tenant) { return new Session(this.#jwt, { ...this.claims, tenant }); }

  get ended() { return this.#ended.signal.aborted; }

  end() {
    this.#jwt = '';
    this.#ended.abort();
  }
}

export const session = () => current;

export function signIn(text) {
  const jwt = text.trim().replace(/^Bearer\s+/i, '');
  const claims = readClaims(jwt);
  if (claims.expires && claims.expires <= Date.now()) throw new Error('This JWT has expired.');
  current = new Session(jwt, claims);
  return current;
}

// resume takes up the session of the cookie.
export function resume() {
  current = new Session('', {});
  return current;
}

// actFor chooses a tenant. What was asked for another one is not shown any more.
export function actFor(tenant) {
  const before = current;
  current = before.actFor(tenant);
  before.end();
}

export function signOut() {
  current?.end();
  current = null;
}

// readClaims reads of a JWT, unverified, when it ends.
function readClaims(jwt) {
  let claims;
  try {
    const [, payload, signature] = jwt.split('.');
    const bytes = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))));
    if (!signature || typeof claims !== 'object' || claims === null) throw new Error();
  } catch {
    // The cause is not shown: it quotes the JWT.
    throw new Error('This is no JWT: it should be three parts with dots between them.');
  }
  return { expires: typeof claims.exp === 'number' ? claims.exp * 1000 : 0 };
}
