/* Asks the server. Every address is one of docs/PROTOCOL.md.
 *
 *     const rows = await get('/v1/segments', {signal});
 *     await post('/v1/report', null, {signal});
 *
 * What goes wrong is a Trouble, whose `kind` says which state a view shows:
 *     signin     nobody is signed in (any more)      absent   this server does not have that address
 *     forbidden  the role may not                    missing  there is no such segment, destination, ...
 *     busy       too many questions, or try again    offline  no answer came
 *     failed     anything else; `message` is the server's sentence */

export class Trouble extends Error {
  constructor(kind, message, status, body) {
    super(message);
    Object.assign(this, {kind, status, body});
  }
}

const KINDS = {401: 'signin', 403: 'forbidden', 429: 'busy', 503: 'busy'};
let signedOut = () => {};
export function onSignedOut(f) { signedOut = f; }

function kindOf(status, message) {
  if (status === 404) return /no such address/.test(message) ? 'absent' : 'missing';
  if (status === 405) return 'absent';
  return KINDS[status] || 'failed';
}

async function ask(path, options) {
  let answer, body;
  try {
    answer = await fetch(path, {...options, headers: {'X-Crumb': '1', Accept: 'application/json', ...options.headers}, credentials: 'same-origin', cache: 'no-store'});
    const json = /json/.test(answer.headers.get('Content-Type') || '');
    body = json ? await answer.json() : await answer.text();
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new Trouble('offline', 'The server does not answer.');
  }
  if (answer.ok) return body;
  const message = (body && body.error) || (typeof body === 'string' && body.trim()) || 'The server answered ' + answer.status + '.';
  const trouble = new Trouble(kindOf(answer.status, message), message, answer.status, body);
  if (trouble.kind === 'signin') signedOut();
  throw trouble;
}

export function address(path, parameters) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters || {})) if (value !== null && value !== undefined && value !== '') query.set(key, value);
  return query.size ? path + '?' + query : path;
}

export function get(path, {signal, parameters} = {}) {
  return ask(address(path, parameters), {method: 'GET', signal});
}

export function post(path, body, {signal, parameters, type = 'text/plain', headers} = {}) {
  return ask(address(path, parameters), {method: 'POST', signal, body: body ?? '', headers: {'Content-Type': type, ...headers}});
}

/* What `promise` gives, or `otherwise` when this server has no such address or the role may not: for what a view can do without. */
export async function maybe(promise, otherwise = null) {
  try {
    return await promise;
  } catch (e) {
    if (e instanceof Trouble && ['absent', 'forbidden', 'missing'].includes(e.kind)) return otherwise;
    throw e;
  }
}

/* A function that asks once for several panels, begins now, and asks again when that failed. */
export function shared(f) {
  let now = null;
  const load = () => {
    if (!now) {
      now = f();
      now.catch(() => { now = null; });
    }
    return now;
  };
  load();
  return load;
}
