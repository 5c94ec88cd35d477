/* The frame: who is signed in, which screen the address names, navigation, keys.
 *
 *     #/segments/ID?days=30&compare=1     route, and what restores the view
 *     body[data-ready="#/segments/ID..."] the view is complete; gone as soon as the address changes
 *
 * Screens are rows of screens.js; what a screen is given is in view.js. */
import {get, maybe, onSignedOut, Trouble} from './api.js';
import {el, speak} from './dom.js';
import {keys} from './keys.js';
import {failed, tellBelow} from './parts.js';
import {asRole, reachable, screens} from './screens.js';
import {signIn, signOut, spendToken} from './signin.js';
import {View} from './view.js';

const $ = (id) => document.getElementById(id);
let view = null, who = null;

/* --- the address */

function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter(Boolean).map((p) => { try { return decodeURIComponent(p); } catch { return p; } });
  return {parts, query: new URLSearchParams(query || '')};
}

function find(parts) {
  const of = screens.filter((s) => s.path === (parts[0] || ''));
  return of.find((s) => s.kind && s.kind === parts[1] && parts.length > 2) || of.find((s) => !s.kind && (parts.length > 1) === !!s.of) || of.find((s) => !s.of);
}

function notReady() {
  delete document.body.dataset.ready;
}

function mark(row) {
  for (const a of $('nav').querySelectorAll('a')) {
    if (row && a.dataset.path === (row.under ?? row.path)) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
}

async function route() {
  notReady();
  if (!who) return;
  if (view) view.end();
  const {parts, query} = parse(location.hash), row = find(parts);
  const mine = view = new View({parts, query, who});
  mark(row);
  openMenu(false);
  $('main').replaceChildren(mine.root);
  try {
    if (!row) throw new Trouble('missing', 'There is no such page.');
    const module = await row.load();
    if (mine.ended) return;
    mine.title(module.title);
    await module.show(mine);
    await mine.settled();
  } catch (e) {
    if (mine.ended || e.name === 'AbortError') return;
    if (!(e instanceof Trouble)) console.error(e);
    if (!mine.root.querySelector('h1')) mine.root.append(el('h1', {text: row && e.kind !== 'missing' ? 'Something is missing' : 'Not here'}));
    mine.root.append(failed(e, route));
    if (e.kind === 'missing' && row?.of) mine.root.append(el('p', null, el('a', {class: 'button', href: '#/' + row.path, text: 'Show all'})));
  }
  if (mine.ended) return;
  // two frames: what was made is on the screen
  requestAnimationFrame(() => setTimeout(() => { if (!mine.ended) document.body.dataset.ready = location.hash || '#/'; }));
}

/* --- the frame */

function openMenu(open) {
  $('menu').setAttribute('aria-expanded', open);
  $('side').classList.toggle('open', open);
}

const THEMES = ['system', 'light', 'dark'];

function showTheme() {
  const now = document.documentElement.dataset.theme || 'system';
  $('theme').textContent = {system: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark'}[now];
  document.dispatchEvent(new Event('theme'));
}

function nextTheme() {
  const root = document.documentElement, next = THEMES[(THEMES.indexOf(root.dataset.theme || 'system') + 1) % THEMES.length];
  if (next === 'system') delete root.dataset.theme;
  else root.dataset.theme = next;
  try { localStorage.setItem('theme', next); } catch { /* for this page only, then */ }
  showTheme();
}

function navigation() {
  $('nav').firstElementChild.replaceChildren(...reachable().map((s) => el('li', null,
    el('a', {href: '#/' + s.path, 'data-path': s.path, 'aria-keyshortcuts': s.key && 'g ' + s.key}, el('span', {text: s.name}), s.key && el('kbd', {text: 'g ' + s.key})))));
}

function frame() {
  $('menu').addEventListener('click', () => openMenu($('menu').getAttribute('aria-expanded') !== 'true'));
  $('theme').addEventListener('click', nextTheme);
  $('signout').addEventListener('click', signOut);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', showTheme);
  document.querySelector('.skip').addEventListener('click', (e) => { e.preventDefault(); $('main').focus(); });
  addEventListener('hashchange', moved);
  // the address changes now, hashchange comes later: nothing is ready in between
  if (window.navigation) window.navigation.addEventListener('navigate', (e) => { if (e.hashChange && e.navigationType !== 'replace') notReady(); });
  showTheme();
  keys();
}

async function enter() {
  find(parse(location.hash).parts)?.load().catch(() => {}); // meanwhile; route says what is wrong with it
  who = await maybe(get('/v1/who'), {name: '', role: 'operator'});
  tellBelow(who);
  asRole(who.role);
  navigation();
  $('who').replaceChildren(el('bdi', {dir: 'auto', text: who.name || ''}), who.name && who.name !== who.role ? ' · ' + who.role : '');
  $('signin').hidden = true;
  $('frame').hidden = false;
  await route();
}

function leave() {
  if (!who && !$('signin').hidden) return;
  const said = who ? 'You were signed out. Sign in to go on where you were.' : '';
  who = null;
  if (view) view.end();
  $('main').replaceChildren();
  $('frame').hidden = true;
  signIn(enter, said);
}

/* The address names something else. A link that signs in may be opened in a tab that shows the dashboard: the page is not loaded anew then. */
async function moved() {
  const problem = await spendToken();
  if (problem === null) await enter();
  else if (problem && !who) $('signin-says').textContent = problem;
  else route();
  $('main').focus({preventScroll: true});
  scrollTo(0, 0);
  speak(document.title);
}

async function begin() {
  onSignedOut(leave);
  const problem = await spendToken();
  frame();
  // the server has seen no cookie: nobody needs to be asked
  if (document.body.dataset.guest !== undefined && problem !== null) {
    signIn(enter, problem);
    return;
  }
  try {
    await enter();
  } catch (e) {
    if (e.kind !== 'signin') document.body.append(el('main', {class: 'alone'}, el('h1', {text: 'crumb'}), failed(e, () => location.reload())));
    else if (problem) signIn(enter, problem);
  }
}

begin();
