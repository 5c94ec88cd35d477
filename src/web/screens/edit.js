/* A segment's condition and settings, with its size while it is typed, and the way to publish it.
 *
 *     #/edit/ID      #/new?template=lapsed      #/new?when=coats%20in%207d&name=Coats */
import {get, maybe} from '../api.js';
import {el, name} from '../dom.js';
import {badge, empty, segmentLink} from '../parts.js';
import {builder} from '../edit/builder.js';
import {editor} from '../edit/editor.js';
import {fieldsOf, idFrom} from '../edit/fields.js';
import {liveOf} from '../edit/live.js';
import {publisher} from '../edit/publish.js';
import {interests, templates} from '../edit/templates.js';
import {vocabulary} from '../edit/vocabulary.js';

export const title = 'Edit';

const card = (heading, ...inside) => el('section', {class: 'panel card', 'aria-label': heading}, el('div', {class: 'panel-head'}, el('h2', {text: heading})), inside);

/* Only who may publish is asked to: others see what there is. */
export function onlyMarketers(view, heading, href) {
  if (view.may('marketer')) return false;
  view.head(heading);
  view.root.append(empty('Not for your role', 'A marketer or an operator can change rules. You can look at what there is.', el('a', {class: 'button', href, text: 'Show it'})));
  return true;
}

function chooser(view, words, take) {
  return el('div', {class: 'templates', role: 'group', 'aria-label': 'Begin with'}, templates.map((t) => el('button', {type: 'button', class: 'template', 'data-template': t.id, 'aria-pressed': String(view.query.get('template') === t.id), onclick: (e) => {
    view.keep({template: t.id, when: null, name: null});
    for (const b of e.currentTarget.parentNode.children) b.setAttribute('aria-pressed', String(b === e.currentTarget));
    take(t.make(words.categories));
  }}, el('strong', {text: t.title}), el('span', {text: t.about}))));
}

/* The condition a new segment begins with. */
function beginning(view, words) {
  const template = templates.find((t) => t.id === view.query.get('template'));
  if (template) return template.make(words.categories);
  return {name: view.query.get('name') || '', when: view.query.get('when') || ''};
}

async function work(view, {row, words, destinations, fresh}) {
  let text = row.when || '', ready = false;
  const live = liveOf({view, mark: (problems) => code.mark(problems), meant: (ok) => { ready = ok; }});
  const fields = fieldsOf({row, destinations, fresh, taken: new Set(words.segments.map((s) => s.id)), changed: () => way.stale()});
  const rows = builder({words: () => words, replace: (from, to, t) => code.replace(from, to, t), text: () => code.text(), choose: interests});
  const place = el('div', {class: 'code-room'}), help = el('p', {class: 'fine', id: 'condition-help', text: 'Ctrl and space complete a word. Tab goes on to the next field.'});
  const way = publisher(view, {
    edit: () => fields.missing() || (text.trim() ? ready ? {kind: 'segment', id: fields.id(), set: {...fields.set(), ...(text.trim() !== (row.when || '').trim() || fresh ? {when: text.trim()} : null)}} : 'The condition is not complete yet: what is wrong is said below it.' : 'It needs a condition.'),
    done: (_, what) => el('p', null, segmentLink(what.id, 'Look at the segment'), destinations.length > 0 && [' · ', el('a', {href: '#/destinations', text: 'Deliver it'})]),
  });
  const code = await editor(place, {text, words: () => words, view, changed: (t) => { text = t; way.stale(); rows.read(t); live.changed(t); }});
  if (!code) return;
  rows.read(text);
  const take = (t) => { fields.fill({name: t.name, id: free(words, idFrom(t.name))}); code.set(t.when); if (!t.when) code.focus(); };
  view.root.append(fresh ? chooser(view, words, take) : '',
    el('div', {class: 'two edit-room'},
      el('div', {class: 'stack'}, card('Condition', place, live.wrong, help), card('By clicks', rows.node)),
      el('div', {class: 'stack'}, card('Members now', live.preview, live.left), card('In words', live.words, live.funnel))),
    card('Settings', fields.node), way.node);
  code.cm.refresh();
  live.begin(text);
  if (text) await first(view, live);
}

const free = (words, id) => { let n = 1, now = id; while (id && words.segments.some((s) => s.id === now)) now = `${id}-${++n}`; return now; };

/* The view is complete when the first size is there, or after a second. */
function first(view, live) {
  return new Promise((done) => {
    const watch = new MutationObserver(() => { if (live.preview.dataset.state !== 'asking') end(); });
    const end = () => { watch.disconnect(); done(); };
    watch.observe(live.preview, {attributes: true});
    setTimeout(end, 1500);
    view.signal.addEventListener('abort', end);
  });
}

async function show1(view, id) {
  const o = {signal: view.signal}, [words, destinations, row] = await Promise.all([vocabulary(view), maybe(get('/v1/destinations', o), []), id ? get('/v1/segment', {...o, parameters: {id}}) : null]);
  if (row?.kind === 'lookalike') {
    location.replace('#/lookalikes/' + encodeURIComponent(id));
    return;
  }
  view.title(row ? 'Edit ' + (row.name || id) : 'New segment');
  view.head(row ? name(row.name || id) : 'New segment', {
    badges: row && row.state !== 'active' ? badge(row.state, 'warn') : null, about: row ? el('span', {class: 'id', text: id}) : 'Begin with one of these, and change it; or write the condition.',
    tools: row && [el('a', {class: 'button', href: '#/segments/' + encodeURIComponent(id), text: 'Show it'})]});
  const start = row || beginning(view, words);
  await work(view, {row: row || {id: free(words, idFrom(start.name)), name: start.name, when: start.when, state: 'active'}, words, destinations, fresh: !row});
}

export async function show(view) {
  const id = view.parts[1];
  if (onlyMarketers(view, id ? 'Edit' : 'New segment', id ? '#/segments/' + encodeURIComponent(id) : '#/segments')) return;
  await show1(view, id);
}
