/* Signing in: a token that is pasted, or the one-time token of a link (`#token=...`), which is taken out of the address before anything else. */

const $ = (id) => document.getElementById(id);

async function login(token) {
  let answer;
  try {
    answer = await fetch('/v1/login', {method: 'POST', body: new URLSearchParams({token}), redirect: 'manual', credentials: 'same-origin', headers: {'X-Crumb': '1'}});
  } catch {
    return 'The server does not answer.';
  }
  if (answer.type === 'opaqueredirect' || answer.ok) return '';
  const body = await answer.json().catch(() => null);
  return (body && body.error) || 'The server answered ' + answer.status + '.';
}

/* Ends the session; the page begins anew, and asks for a token. */
export async function signOut() {
  await fetch('/v1/logout', {method: 'POST', redirect: 'manual', credentials: 'same-origin', headers: {'X-Crumb': '1'}}).catch(() => {});
  location.replace('/');
}

/* Spends the token of a link. Null: that signed somebody in. Empty: there was none. Else what went wrong, in a sentence. */
export async function spendToken() {
  const found = /^#token=([^&]+)/.exec(location.hash);
  if (!found) return '';
  history.replaceState(null, '', '/#/');
  const problem = await login(decodeURIComponent(found[1]));
  return problem ? 'This link does not sign you in any more: ' + problem : null;
}

/* Shows the form; `then` is called when somebody has signed in. */
export function signIn(then, said = '') {
  const form = $('signin').querySelector('form'), button = form.querySelector('button');
  document.title = 'Sign in · crumb';
  $('signin').hidden = false;
  $('signin-says').textContent = said;
  $('token').value = '';
  $('token').focus();
  document.body.dataset.ready = '#signin';
  form.onsubmit = async (e) => {
    e.preventDefault();
    button.disabled = true;
    $('signin-says').textContent = '';
    const problem = await login($('token').value.trim());
    button.disabled = false;
    if (problem) {
      $('signin-says').textContent = problem;
      $('token').select();
      return;
    }
    delete document.body.dataset.ready;
    $('token').value = '';
    await then();
  };
}
