/* A category of what pages send and no rule uses.
 *
 *     #/make?kind=path&value=/coats/*      #/make?kind=event&value=wishlist      #/make?kind=attribute&value=size */
import {get} from '../api.js';
import {el} from '../dom.js';
import {field, idFrom} from '../edit/fields.js';
import {publisher} from '../edit/publish.js';
import {onlyMarketers} from './edit.js';

export const title = 'New category';

const KINDS = {path: ['Pages', 'The path of a page; * is anything within one part, ** any number of parts.'], event: ['Event', 'The name of the event; * is anything.'], attribute: ['Attribute', 'Name of the attribute, = and its value; * is any value.']};

/* What one entry of `any` says. */
function entry(kind, value) {
  if (kind === 'event') return {event: value};
  if (kind === 'attribute') { const [key, of] = value.split('='); return {['attr.' + key.trim()]: (of ?? '*').trim() || '*'}; }
  return {event: 'view', path: value};
}

const words = (value) => { const w = value.replace(/\*+/g, '').split(/[/=]/).map((p) => p.trim()).filter(Boolean).map((p) => p.replace(/[-_]+/g, ' ')).join(', '); return w.charAt(0).toUpperCase() + w.slice(1); };
const ids = (value) => value.replace(/\*+/g, '').split(/[/=]/).map(idFrom).filter(Boolean).join('.');

export async function show(view) {
  if (onlyMarketers(view, 'New category', '#/categories')) return;
  const kind = KINDS[view.query.get('kind')] ? view.query.get('kind') : 'path', given = view.query.get('value') || '', taken = new Set((await get('/v1/categories', {signal: view.signal})).map((c) => c.id));
  const value = el('input', {type: 'text', name: 'value', dir: 'ltr', spellcheck: 'false', value: kind === 'attribute' && given && !given.includes('=') ? given + '=*' : given}), title = el('input', {type: 'text', name: 'name', dir: 'auto', value: words(given)}), id = el('input', {type: 'text', name: 'id', spellcheck: 'false', value: ids(given)});
  view.head('New category', {about: 'What visitors did becomes something that conditions can ask for. The history is read again, so that it counts from the first day on that is kept.', tools: [el('a', {class: 'button', href: '#/categories'}, 'All categories')]});
  const way = publisher(view, {
    edit: () => {
      if (!value.value.trim()) return 'Say what it matches.';
      if (!id.value.trim()) return 'It needs an id.';
      if (taken.has(id.value.trim())) return `There is a category “${id.value.trim()}” already. Give this one another id.`;
      return {kind: 'category', id: id.value.trim(), set: {...(title.value.trim() ? {name: title.value.trim()} : null), any: [entry(kind, value.value.trim())]}};
    },
    done: (_, what) => el('p', null, el('a', {href: '#/categories/' + encodeURIComponent(what.id), text: 'Look at the category'}), ' · ', el('a', {href: '#/new?' + new URLSearchParams({when: what.id, name: title.value}), text: 'Make a segment of it'})),
  });
  view.root.append(el('section', {class: 'panel card', 'aria-label': 'What it is', oninput: () => way.stale()}, el('div', {class: 'fields'}, field(KINDS[kind][0], value, KINDS[kind][1]), field('Name', title, 'What people read.'), field('Id', id, 'A dot makes it a child: apparel.coats.'))), way.node);
}
