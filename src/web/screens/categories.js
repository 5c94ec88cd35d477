/* All categories as a tree: visitors, events by day; and what no rule uses yet.
 *
 *     #/categories?q=coat&days=30 */
import {get, maybe} from '../api.js';
import {el, name, text} from '../dom.js';
import {badge, completeness, count, csv, empty, range, rangePicker, saveCsv, spark, sparkWords, split, table, tellBelow, value} from '../parts.js';

export const title = 'Categories';

/* Parents before their children: [{...category, depth}]. A child's id begins with its parent's and a dot. */
function tree(list) {
  const ids = new Set(list.map((c) => c.id)), depth = (id) => id.split('.').reduce((n, _, i, all) => n + (i && ids.has(all.slice(0, i).join('.')) ? 1 : 0), 0);
  const key = (c) => c.id.split('.').join('\u0001');
  return list.map((c) => ({...c, depth: depth(c.id)})).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

export function mean(list) {
  const known = list.filter((v) => v !== null);
  return known.length ? Math.round(known.reduce((a, b) => a + b, 0) / known.length) : null;
}

const columns = [
  {key: 'name', label: 'Category', head: true, cell: (c) => el('div', {class: 'leaf', vars: {depth: c.depth}}, el('a', {href: '#/categories/' + encodeURIComponent(c.id)}, name(c.name || c.id)), ' ', el('span', {class: 'id', text: c.id}),
    el('div', {class: 'tags'}, completeness(c), c.sensitive && badge('sensitive', 'warn'), (c.labels || []).map((l) => badge(l))))},
  {key: 'visitors', label: 'Visitors', kind: 'number', cell: (c) => count(c.visitors, {k: c.below, complete: c.complete})},
  {key: 'share', label: 'Of all', kind: 'number', wide: true, cell: (c) => value(c.share, text.percent)},
  {key: 'mean', label: 'Events a day', kind: 'number', wide: true, cell: (c) => value(c.mean)},
  {key: 'trend', label: 'Events by day', wide: true, csv: false, cell: (c) => spark(c.events, 'Events by day: ' + sparkWords(c.events))},
];

function draw(view, [list, report], again) {
  const {days} = range(view), of = new Map((report?.categories || []).map((c) => [c.id, c.events]));
  list.forEach(tellBelow);
  const rows = tree(list).map((c) => { const events = split(of.get(c.id) || [], days)[0]; return {...c, events, mean: mean(events)}; });
  if (!rows.length) return el('div', {class: 'card card-table'}, empty('No category is defined', 'A category is what a page or an event is about. Rules name them:'), el('pre', {class: 'snippet', text: 'categories:\n  - {id: apparel.coats, name: Coats, any: [{path: "/coats/*"}]}\n'}));
  const room = el('div');
  const filter = () => {
    const q = (view.query.get('q') || '').toLocaleLowerCase(), shown = rows.filter((c) => (c.name + ' ' + c.id).toLocaleLowerCase().includes(q));
    room.replaceChildren(shown.length ? table({caption: 'Categories', steady: true, columns, rows: shown, attributes: (c) => ({'data-category': c.id})}) : empty('No category fits', 'Other words may find it.'));
  };
  filter();
  return [el('div', {class: 'filters'}, el('input', {type: 'search', value: view.query.get('q') || '', placeholder: 'Filter by name or id', 'aria-label': 'Filter by name or id', dir: 'auto', oninput: (e) => { view.keep({q: e.target.value}); filter(); }}), rangePicker(view, again), saveCsv('categories', () => csv(columns, rows))),
    el('div', {class: 'card card-table'}, room), report && !report.made && el('p', {class: 'fine', text: 'Events by day come with the first report of the day.'})];
}

const TRIES = 60;

/* The first look of a store's first day, or of new rules, has the server read its journal: until that is done the answer is that of before. */
async function today(options) {
  for (let i = 0; ; i++) {
    const got = await get('/v1/signals', options);
    if (got.current || i === TRIES) return got;
    await new Promise((go) => setTimeout(go, 1000));
  }
}

/* What visitors did that no rule looks at, and rules that hardly anybody matches. The shape is that of crumb signals. */
function signals(got) {
  const rows = got?.unused || (Array.isArray(got) ? got : []), idle = [...(got?.idle_categories || []).map((id) => ['categories', id]), ...(got?.idle_segments || []).map((id) => ['segments', id])];
  if (!got.made) return empty('Not read yet', 'The journal is still being read. Look again in a moment.');
  return [!got.current && el('p', {class: 'fine'}, 'As of ', text.time(got.made), ': the journal is still being read.'), rows.length ? table({caption: 'What no rule uses', rows, attributes: (r) => ({'data-signal': r.value}), columns: [{key: 'kind', label: 'Kind', wide: true}, {key: 'value', label: 'Value', head: true, cell: (r) => name(String(r.value))},
    {key: 'visitors', label: 'Visitors', kind: 'number', cell: (r) => count(r.visitors)}, {key: 'events', label: 'Events', kind: 'number', wide: true, cell: (r) => value(r.events)},
    {key: 'make', label: 'What to do', quiet: true, csv: false, cell: (r) => el('a', {class: 'button', href: '#/make?' + new URLSearchParams({kind: r.kind, value: r.value})}, 'Make a category of it')}]}) : empty('Nothing unused', 'Every event and every path that many visitors have is in some category.'),
  idle.length > 0 && el('p', {class: 'fine'}, 'Rules that hardly anybody matches: ', idle.map(([path, id], i) => [i ? ', ' : '', el('a', {href: `#/${path}/${encodeURIComponent(id)}`}, name(id))]))];
}

export function show(view) {
  view.head('Categories', {about: 'What visitors look at and do.', tools: view.may('marketer') && el('a', {class: 'button', href: '#/make'}, 'New category')});
  const list = view.panel({wide: true, title: 'Categories', load: (o) => Promise.all([get('/v1/categories', o), maybe(get('/v1/report/categories', {...o, parameters: {days: range(view).days}}))]), draw: (all) => draw(view, all, () => list.again())});
  if (view.may('marketer')) view.askedFor({title: 'Not used by any rule', why: ['What visitors did that no category looks at', 'Events, paths and attributes that are seen often. Reading a month of the journal takes a moment.'], button: 'Show them', load: today, draw: signals});
}
