/* All segments: sizes, how they moved, where they go; search, order, groups, and two or three of them ticked to be compared. All rows are in the document.
 *
 *     #/segments?q=coat&destination=ads&label=retail&state=paused&group=owner&sort=-size&days=30 */
import {get, maybe} from '../api.js';
import {el, name, text} from '../dom.js';
import {badge, choose, completeness, count, delta, empty, firstOf, lateSpark, range, rangePicker, saveCsv, csv, sorted, spark, sparkWords, split, table, tellBelow, value} from '../parts.js';

export const title = 'Segments';
const MOST_COMPARED = 3;
const DRAWN = 40; // rows whose sparks are drawn at once

/* Rows of the list, with their numbers by day. */
function join(list, byDay, days) {
  const of = new Map((byDay?.segments || []).map((s) => [s.id, s]));
  return list.map((row) => {
    tellBelow(row);
    const s = of.get(row.id), [now, before] = split(s?.size || [], days), last = (l) => (l?.length ? l[l.length - 1] : null);
    const yesterday = (l) => (l?.length > 1 ? l[l.length - 2] : null);
    return {...row, trend: now, was: firstOf(now)?.value ?? null, mean: mean(now), meanBefore: mean(before), entered: yesterday(s?.entered), left: yesterday(s?.left), last: last(s?.size)};
  });
}

function mean(list) {
  const known = list.filter((v) => v !== null);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
}

const unique = (rows, of) => [...new Set(rows.flatMap((r) => of(r) || []))].sort((a, b) => a.localeCompare(b));
const stateOf = (row) => (row.state === 'active' ? null : badge(row.state, row.state === 'paused' ? 'warn' : '', row.until && 'until ' + text.dayLong(row.until)));

function marksOf(row) {
  return [row.kind === 'lookalike' && badge('lookalike', '', row.lookalike && 'resembles ' + row.lookalike.seed), stateOf(row), completeness(row), row.sensitive && badge('sensitive', 'warn'),
    row.alert && (row.alert.firing ? badge('below ' + text.number(row.alert.below), 'bad', 'Its alert fires: the size is below.') : null)].filter(Boolean);
}

const tags = (list) => list.length > 0 && el('div', {class: 'tags'}, list);

function columns(picked, pick, compare) {
  return [
    {key: 'pick', label: 'Compare', track: '26px', quiet: true, still: true, csv: false, cell: (r) => el('input', {type: 'checkbox', class: 'segment-pick', 'aria-label': 'Compare ' + (r.name || r.id), checked: picked.has(r.id), onchange: (e) => pick(r.id, e.target)})},
    {key: 'name', label: 'Segment', head: true, sort: (r) => (r.name || r.id).toLocaleLowerCase(), cell: (r) => el('div', {class: 'segment'}, el('a', {href: '#/segments/' + encodeURIComponent(r.id)}, name(r.name || r.id)), ' ', r.name && r.name !== r.id && el('span', {class: 'id', text: r.id}), tags(marksOf(r)))},
    {key: 'size', label: 'Members', track: 'clamp(7.1em, 22cqi, 7.9em)', kind: 'number', cell: (r) => count(r.size, {k: r.below, complete: r.complete})},
    {key: 'change', label: compare ? 'Against before' : 'Change', kind: 'number', wide: true, sort: (r) => changeOf(r, compare), csv: (r) => changeOf(r, compare), cell: (r) => (compare ? delta(r.mean, r.meanBefore) : delta(r.last, r.was)) || value(null)},
    {key: 'trend', label: 'Trend', still: true, csv: false, wide: true, cell: (r) => (r.n < DRAWN ? spark : lateSpark)(r.trend, 'Members by day: ' + sparkWords(r.trend))},
    {key: 'entered', label: 'Entered', kind: 'number', wide: true, cell: (r) => value(r.entered)},
    {key: 'left', label: 'Left', kind: 'number', wide: true, cell: (r) => value(r.left)},
    {key: 'destinations', label: 'Goes to', wide: true, sort: (r) => (r.destinations || []).join(' '), csv: (r) => (r.destinations || []).join(' '), cell: (r) => tags((r.destinations || []).map((d) => el('a', {class: 'badge', href: '#/destinations/' + encodeURIComponent(d)}, name(d))))},
    {key: 'owner', label: 'Owner', track: 'minmax(0, 1.5fr)', wider: true, cell: (r) => r.owner && name(r.owner)},
  ];
}

function changeOf(r, compare) {
  const [a, b] = compare ? [r.mean, r.meanBefore] : [r.last, r.was];
  return a === null || b === null ? null : Math.round(a - b);
}

function attributes(row) {
  return {'data-segment': row.id, 'data-size': row.size === null || row.size === undefined ? '' : String(row.size), 'data-complete': String(row.complete !== false)};
}

const GROUPS = {label: ['label', (r) => r.labels || []], owner: ['owner', (r) => (r.owner ? [r.owner] : [])], destination: ['destination', (r) => r.destinations || []], state: ['state', (r) => [r.state]], folder: ['beginning of the id', (r) => (/[.\-_]/.test(r.id) ? [r.id.split(/[.\-_]/)[0]] : [])]};

/* [[title, rows]]: each row stands in the first group that it belongs to, and in no other. */
function grouped(rows, by) {
  const found = new Map(), rest = [];
  for (const row of rows) {
    const key = GROUPS[by][1](row)[0];
    if (key === undefined) rest.push(row);
    else found.has(key) ? found.get(key).push(row) : found.set(key, [row]);
  }
  const all = [...found].sort((a, b) => a[0].localeCompare(b[0]));
  return rest.length ? [...all, ['without ' + GROUPS[by][0], rest]] : all;
}

function fitsOf(view) {
  const q = (view.query.get('q') || '').toLocaleLowerCase().split(/\s+/).filter(Boolean), of = (k) => view.query.get(k);
  return (r) => q.every((w) => (r.name + ' ' + r.id + ' ' + (r.owner || '') + ' ' + (r.labels || []).join(' ')).toLocaleLowerCase().includes(w))
    && (!of('destination') || (r.destinations || []).includes(of('destination'))) && (!of('label') || (r.labels || []).includes(of('label'))) && (!of('state') || r.state === of('state'));
}

/* What is ticked, and where it leads. */
function compareBar(picked, rows, clear) {
  const ids = [...picked], names = new Map(rows.map((r) => [r.id, r.name || r.id]));
  const questions = (ids.length * (ids.length - 1)) / 2;
  return el('div', {class: 'compare-bar', role: 'region', 'aria-label': 'Compare', hidden: !ids.length}, el('span', null, ids.map((id, i) => [i ? ' · ' : '', name(names.get(id))])),
    ids.length > 1 ? el('a', {class: 'button primary', href: '#/overlap?ids=' + ids.map(encodeURIComponent).join(','), title: questions === 1 ? 'costs one question' : 'costs ' + questions + ' questions'}, 'Overlap') : el('span', {class: 'fine', text: 'tick another one to compare'}),
    el('button', {type: 'button', class: 'quiet', onclick: clear, text: 'Clear'}));
}

function filters(view, rows, redraw, reload) {
  const set = (key) => (v) => { view.keep({[key]: v}); redraw(); };
  const input = el('input', {type: 'search', value: view.query.get('q') || '', placeholder: 'Filter by name, id, owner, label', 'aria-label': 'Filter by name, id, owner, label', dir: 'auto', oninput: (e) => set('q')(e.target.value)});
  const values = {destination: unique(rows, (r) => r.destinations), label: unique(rows, (r) => r.labels), state: unique(rows, (r) => [r.state])};
  return el('div', {class: 'filters'}, input,
    Object.entries(values).map(([key, list]) => list.length > (key === 'state' ? 1 : 0) && choose(key[0].toUpperCase() + key.slice(1), list, view.query.get(key), set(key))),
    el('label', {class: 'choose'}, el('span', {text: 'Group by'}), el('select', {onchange: (e) => set('group')(e.target.value)}, [['', 'nothing'], ...Object.entries(GROUPS).map(([k, g]) => [k, g[0]])].map(([v, words]) => el('option', {value: v, selected: v === (view.query.get('group') || ''), text: words})))),
    rangePicker(view, reload));
}

export function show(view) {
  const picked = new Set();
  let head = null;
  const reload = () => panel.again();
  const draw = ([list, byDay]) => {
    const {days, compare} = range(view), rows = join(list, byDay, days), room = el('div', {'data-segments': ''}), bar = el('div', {class: 'compare-room'});
    const clear = () => { picked.clear(); redraw(); };
    const pick = (id, box) => {
      if (box.checked && picked.size >= MOST_COMPARED) { box.checked = false; return; }
      box.checked ? picked.add(id) : picked.delete(id);
      bar.replaceChildren(compareBar(picked, rows, clear));
    };
    const cols = columns(picked, pick, compare);
    let shown = rows;
    const redraw = () => {
      const sort = view.query.get('sort') || 'name', by = GROUPS[view.query.get('group')] ? view.query.get('group') : null;
      shown = sorted(rows.filter(fitsOf(view)), cols, sort);
      shown.forEach((r, n) => { r.n = n; });
      const onsort = (s) => { view.keep({sort: s === 'name' ? null : s}); redraw(); room.querySelector('[aria-sort] button')?.focus(); };
      room.replaceChildren(shown.length ? table({caption: 'Segments', steady: true, columns: cols, sort, onsort, attributes, ...(by ? {groups: grouped(shown, by)} : {rows: shown})})
        : empty('No segment fits', 'Other words, or fewer filters, may find it.', el('button', {type: 'button', onclick: () => { view.keep({q: null, destination: null, label: null, state: null}); reload(); }, text: 'Show all'})));
      head.querySelector('.about').textContent = about(rows, shown, days, !byDay);
      bar.replaceChildren(compareBar(picked, rows, clear));
    };
    head?.remove();
    head = el('header', {class: 'head'}, el('div', {class: 'head-words'}, el('h1', {text: 'Segments'}), el('p', {class: 'about'})), el('div', {class: 'tools'}, saveCsv('segments', () => csv(cols, shown)), view.may('marketer') && el('a', {class: 'button primary', 'data-new': '', href: '#/new'}, 'New segment')));
    panel.before(head);
    if (!rows.length) return firstSegment(head);
    redraw();
    return [filters(view, rows, redraw, reload), el('div', {class: 'card card-table'}, room), bar];
  };
  const panel = view.panel({wide: true, title: 'Segments', draw, load: (o) => Promise.all([get('/v1/segments', o), maybe(get('/v1/report/segments', {...o, parameters: {days: range(view).ask}}))])});
}

function about(rows, shown, days, without) {
  const n = shown.length === rows.length ? text.number(rows.length) : text.number(shown.length) + ' of ' + text.number(rows.length);
  return n + (rows.length === 1 ? ' segment' : ' segments') + (without ? '' : '. Change and trend: ' + days + ' days, or since there is a number; entered and left: yesterday.');
}

function firstSegment(head) {
  head.querySelector('.about').textContent = 'None yet.';
  return el('div', {class: 'card card-table'}, empty('No segment is defined', 'A segment is a condition over what visitors did. Rules are files; this is a whole one:'),
    el('pre', {class: 'snippet', text: 'version: 1\ncategories:\n  - {id: coats, name: Coats, any: [{path: "/coats/*"}]}\nsegments:\n  - {id: coat-fans, name: Coat fans, when: coats >= 3 in 14d}\n'}),
    el('p', {class: 'fine'}, 'Put it into the folder that ', el('code', {text: 'rules.path'}), ' names; ', el('code', {text: 'crumb rules check'}), ' looks at it.'));
}
