/* The keyboard: `/` searches, `g s` goes to the segments, `?` says all of it. Letters alone can be switched off, for who talks to the computer. */
import {el} from './dom.js';
import {reachable} from './screens.js';
import {search} from './search.js';

const $ = (id) => document.getElementById(id);
let gone = 0; // when `g` was pressed

function off() {
  try { return localStorage.getItem('keys') === 'off'; } catch { return false; }
}

function typing(e) {
  return e.target.closest('input:not([type=checkbox]), textarea, select, [contenteditable], .CodeMirror') || e.ctrlKey || e.metaKey || e.altKey;
}

const row = (keys, words) => el('tr', null, el('td', null, keys.map((k) => [el('kbd', {text: k}), ' '])), el('td', {text: words}));

function help() {
  const dialog = el('dialog', {class: 'sheet', 'aria-labelledby': 'keys-title', onclose: () => dialog.remove(), onclick: (e) => { if (e.target === dialog) dialog.close(); }},
    el('div', {class: 'sheet-head'}, el('h2', {id: 'keys-title', text: 'Keys'}), el('button', {type: 'button', class: 'quiet', onclick: () => dialog.close(), text: 'Close'})),
    el('table', {class: 'keys'}, el('tbody', null, row(['/'], 'search segments, categories, destinations'),
      reachable().filter((s) => s.key).map((s) => row(['g', s.key], s.name)), row(['j'], 'next row'), row(['k'], 'row before'), row(['Enter'], 'open it'), row(['x'], 'tick it, to compare'),
      row(['Esc'], 'close what is open'), row(['?'], 'this page'))),
    el('label', {class: 'check'}, el('input', {type: 'checkbox', checked: !off(), onchange: (e) => { try { localStorage.setItem('keys', e.target.checked ? 'on' : 'off'); } catch { /* not kept */ } }}), 'Letters are shortcuts'),
    el('p', {class: 'fine'}, el('a', {href: new URL('licences.txt', import.meta.url).pathname, text: 'Works of others in this page'})));
  document.body.append(dialog);
  dialog.showModal();
}

/* The row before or behind the one that has the focus, of those that lead somewhere. */
function step(by) {
  const rows = [...document.querySelectorAll('#main tbody th a, #main .rows a')], from = rows.indexOf(document.activeElement);
  let at = from < 0 ? 0 : from + by;
  while (rows[at] && !rows[at].offsetParent) at += from < 0 ? 1 : by; // asked of as few as can be: each answer lays out a row
  const next = rows[at];
  if (!next) return;
  next.focus();
  next.scrollIntoView({block: 'nearest'});
}

function pressed(e) {
  if (off() || typing(e) || document.querySelector('dialog[open]') || $('frame').hidden) return;
  const screen = Date.now() - gone < 1500 && reachable().find((s) => s.key === e.key);
  gone = 0;
  if (screen) location.hash = '#/' + screen.path;
  else if (e.key === 'g') gone = Date.now();
  else if (e.key === '/') search();
  else if (e.key === '?') help();
  else if (e.key === 'j') step(1);
  else if (e.key === 'k') step(-1);
  else if (e.key === 'x') document.activeElement.closest('tr')?.querySelector('input[type=checkbox]')?.click();
  else return;
  e.preventDefault();
}

export function keys() {
  document.addEventListener('keydown', pressed);
  $('find').addEventListener('click', search);
  $('help').addEventListener('click', help);
}
