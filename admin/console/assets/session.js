// Who is signed in. The JWT is in this variable and nowhere else: no storage, cookie
// or URL keeps it, so that reloading or leaving the page forgets it.

let current = null;

// A Session is one sign-in. What was asked in one must not be shown in the next.
class Session {
  #jwt;
  #ended = new AbortController();

  constructor(jwt, claims) {
    this.#jwt = jwt;
    this.claims = claims;
  }

  get authorization() { return `Bearer ${this.#jwt}`; }
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

export function signOut() {
  current?.end();
  current = null;
}

// readClaims reads what a JWT says, unverified.
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
  return {
    tenant: text(claims.tenant_id) || text(claims.tenantId),
    role: roleOf([claims.roles, claims.role]),
    expires: typeof claims.exp === 'number' ? claims.exp * 1000 : 0,
  };
}

const text = (claim) => (typeof claim === 'string' ? claim : '');

// roleOf returns the strongest role that the claims give, as the server does.
function roleOf(claims) {
  const names = claims.flatMap((claim) => (Array.isArray(claim) ? claim : text(claim).split(/\s+/)));
  return ['owner', 'admin', 'minter', 'viewer'].find((role) => names.includes(role)) ?? '';
}
