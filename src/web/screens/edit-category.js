/* A category: what belongs to it, its name and labels, with the checker's words at the field that they are about, and the way to publish it.
 *
 *     #/edit/category/ID */
import {get, maybe, post, Trouble} from '../api.js';
import {el, name, text as say} from '../dom.js';
import {count, split, tellBelow, value} from '../parts.js';
import {field} from '../edit/fields.js';
import {matchesOf} from '../edit/matches.js';
import {publisher} from '../edit/publish.js';
import {mean} from './categories.js';
import {onlyMarketers} from './edit.js';

export const title = 'Edit';

const CHECK_MS = 500, DAYS = 30;
const card = (heading, ...inside) => el('section', {class: 'panel card', 'aria-label': heading}, el('div', {class: 'panel-head'}, el('h2', {text: heading})), inside);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/* --- what is to be changed */

/* Name, labels and whether it is sensitive, beside what belongs to it. */
function settingsOf(row, changed) {
  const c = {
    name: el('input', {type: 'text', name: 'name', dir: 'auto', autocomplete: 'off', value: row.name || '', placeholder: row.id}),
    labels: el('input', {type: 'text', name: 'labels', dir: 'auto', autocomplete: 'off', value: row.labels.join(', '), placeholder: 'none'}),
    sensitive: el('input', {type: 'checkbox', name: 'sensitive', checked: row.sensitive}),
  };
  const labels = () => c.labels.value.split(',').map((l) => l.trim()).filter(Boolean);
  return {
    node: el('div', {class: 'fields', oninput: changed}, field('Name', c.name, 'What people read.'), field('Labels', c.labels, 'Where its data comes from; a comma between.'),
      el('div', {class: 'field'}, el('label', {class: 'check'}, c.sensitive, 'sensitive'), el('p', {class: 'fine', text: 'Segments that use it go only where sensitive ones may go.'}))),
    now: () => ({name: c.name.value.trim() || null, labels: labels().length ? labels() : null, sensitive: c.sensitive.checked || null}),
  };
}

/* Whatever differs from one of the states that were in the file meanwhile: what was opened, and what was published from here. */
function differing(now, states) {
  return Object.fromEntries(Object.entries(now).filter(([key, v]) => states.some((s) => !same(s[key], v))));
}

/* --- what is wrong */

/* Asks what the rules would have to say, CHECK_MS after the last change; `show(problems, text)` of the file as it would be. */
function checking(view, {edit, show, failed}) {
  let timer = 0, abort = new AbortController();
  const ask = async (signal) => {
    const what = edit();
    if (typeof what === 'string') return;
    try {
      const made = await post('/v1/rules/edit', JSON.stringify(what), {signal, type: 'application/json'});
      const checked = await post('/v1/rules/check', made.text, {signal, parameters: {file: made.file}});
      show(checked.problems.filter((p) => p.file === made.file), made.text);
    } catch (e) {
      if (e.name === 'AbortError') return;
      if (!(e instanceof Trouble)) console.error(e);
      failed(e.message);
    }
  };
  view.signal.addEventListener('abort', () => { clearTimeout(timer); abort.abort(); });
  return () => {
    clearTimeout(timer);
    abort.abort();
    abort = new AbortController();
    const {signal} = abort;
    timer = setTimeout(() => ask(signal), CHECK_MS);
  };
}

/* --- the numbers of now */

function numbers(c, report) {
  const events = split(report?.categories?.find((x) => x.id === c?.id)?.events || [], DAYS)[0];
  return el('div', {'data-visitors': c?.visitors ?? ''}, el('p', {class: 'preview-size'}, c ? count(c.visitors, {k: c.below, complete: c.complete}) : value(null)),
    el('p', {class: 'fine', text: c?.share ? say.percent(c.share) + ' of all visitors' : ''}), el('p', {class: 'fine'}, 'Events a day: ', value(mean(events))),
    el('p', {class: 'fine', text: 'As the rules are now. What a change does to each segment is counted before it is published; its own number comes when it serves.'}));
}

async function work(view, row, c, report) {
  const wrong = el('div', {role: 'alert', 'data-problems': ''}), states = [];
  let way = null, check = null;
  const changed = () => { way.stale(); check(); };
  const matches = matchesOf({row, changed}), settings = settingsOf(row, changed);
  const now = () => { const lists = matches.lists(); return {...settings.now(), ...Object.fromEntries(Object.entries(lists).map(([key, l]) => [key, l.length ? l : null]))}; };
  const edit = () => {
    const missing = matches.missing();
    if (missing) return missing;
    const all = now();
    return {kind: 'category', id: row.id, set: row.file ? differing(all, states) : Object.fromEntries(Object.entries(all).filter(([, v]) => v !== null))};
  };
  states.push(now());
  check = checking(view, {edit,
    show: (problems, text) => { const rest = matches.mark(problems, text); wrong.replaceChildren(rest.length ? el('ul', {class: 'problems'}, rest.map((p) => el('li', {class: p.severity === 'warning' ? 'warning' : ''}, el('span', {dir: 'auto', text: p.message}), p.hint && el('span', {class: 'under', dir: 'auto', text: p.hint})))) : ''); },
    failed: (words) => wrong.replaceChildren(el('p', {class: 'note', dir: 'auto', text: words}))});
  way = publisher(view, {edit, done: () => { states.push(now()); return el('p', null, el('a', {href: '#/categories/' + encodeURIComponent(row.id), text: 'Look at the category'})); }});
  view.root.append(el('div', {class: 'two edit-room'}, el('div', {class: 'stack'}, card('What belongs to it', !row.file && el('p', {class: 'note', text: 'It is there through the categories below it: what belongs to one of them belongs to it. What you say here belongs to it as well.'}), matches.node, wrong,
    el('p', {class: 'fine', text: 'In patterns * is anything; in a path it is one part, and ** any number of parts. Text between slashes is a regular expression.'}))),
  el('div', {class: 'stack'}, card('Visitors now', numbers(c, report)), card('Settings', settings.node))), way.node);
}

export async function show(view) {
  const id = view.parts[2] || '', href = '#/categories/' + encodeURIComponent(id), o = {signal: view.signal};
  if (onlyMarketers(view, 'Edit', href)) return;
  const [row, list, report] = await Promise.all([get('/v1/rules/category', {...o, parameters: {id}}), get('/v1/categories', o), maybe(get('/v1/report/categories', {...o, parameters: {id, days: DAYS}}))]);
  list.forEach(tellBelow);
  view.title('Edit ' + (row.name || id));
  view.head(name(row.name || id), {about: el('span', {class: 'id', text: id}), tools: [el('a', {class: 'button', href}, 'Show it')]});
  await work(view, row, list.find((c) => c.id === id), report);
}
