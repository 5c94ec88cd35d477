/* Search: screens, segments, categories and destinations by name or id, with the arrow keys. The lists are asked for when it opens. */
import {get, maybe} from './api.js';
import {el} from './dom.js';
import {reachable} from './screens.js';

const MOST = 12;

async function everything() {
  const [segments, categories, destinations] = await Promise.all(['/v1/segments', '/v1/categories', '/v1/destinations'].map((path) => maybe(get(path), []).catch(() => [])));
  const rows = (list, kind, path) => (Array.isArray(list) ? list : []).map((r) => ({kind, name: r.name || r.id, id: r.id, href: '#/' + path + '/' + encodeURIComponent(r.id)}));
  return [...reachable().map((s) => ({kind: 'screen', name: s.name, id: s.path, href: '#/' + s.path})),
    ...rows(segments, 'segment', 'segments'), ...rows(categories, 'category', 'categories'), ...rows(destinations, 'destination', 'destinations')];
}

/* How well a row fits: 0 is not at all. The beginning of a name counts most, then of a word of it. */
function fits(row, words) {
  const name = row.name.toLocaleLowerCase(), id = row.id.toLocaleLowerCase();
  let all = 0;
  for (const w of words) {
    const n = name.startsWith(w) || id.startsWith(w) ? 3 : new RegExp('[\\s.\\-_/]' + w.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).test(name + ' ' + id) ? 2 : name.includes(w) || id.includes(w) ? 1 : 0;
    if (!n) return 0;
    all += n;
  }
  return all;
}

export async function search() {
  const list = el('ul', {id: 'found', role: 'listbox', 'aria-label': 'Found'});
  const input = el('input', {type: 'text', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'found', 'aria-label': 'Search segments, categories, destinations', placeholder: 'Search segments, categories, destinations', autocomplete: 'off', spellcheck: 'false', dir: 'auto'});
  const dialog = el('dialog', {class: 'sheet search', 'aria-label': 'Search', onclose: () => dialog.remove(), onclick: (e) => { if (e.target === dialog) dialog.close(); }}, input, list);
  let rows = [], at = 0, all = [];
  const go = (row) => { dialog.close(); location.hash = row.href; };
  const mark = () => {
    [...list.children].forEach((li, i) => li.setAttribute('aria-selected', String(i === at)));
    const one = list.children[at];
    if (one && one.id) input.setAttribute('aria-activedescendant', one.id);
    else input.removeAttribute('aria-activedescendant');
    one?.scrollIntoView({block: 'nearest'});
  };
  const draw = () => {
    const words = input.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    rows = all.map((row) => [fits(row, words), row]).filter(([n]) => n || !words.length).sort((a, b) => b[0] - a[0]).slice(0, MOST).map((x) => x[1]);
    at = 0;
    list.replaceChildren(...rows.map((row, i) => el('li', {id: 'found-' + i, role: 'option', onclick: () => go(row)}, el('bdi', {dir: 'auto', class: 'name', text: row.name}), el('span', {class: 'kind', text: row.kind}))));
    if (!rows.length) list.append(el('li', {class: 'none', role: 'option', 'aria-disabled': 'true', text: all.length ? 'Nothing has that name' : 'Loading'}));
    mark();
  };
  input.addEventListener('input', draw);
  input.addEventListener('keydown', (e) => {
    const by = {ArrowDown: 1, ArrowUp: -1}[e.key];
    if (by && rows.length) at = (at + by + rows.length) % rows.length, mark();
    else if (e.key === 'Enter' && rows[at]) go(rows[at]);
    else return;
    e.preventDefault();
  });
  document.body.append(dialog);
  dialog.showModal();
  draw();
  all = await everything();
  draw();
}
