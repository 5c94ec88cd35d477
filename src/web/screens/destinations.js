/* All destinations: who goes there, how many of them the partner knows, how the latest delivery went.
 *
 *     #/destinations?sort=-match_rate */
import {get} from '../api.js';
import {el, name, text} from '../dom.js';
import {badge, count, csv, empty, meter, saveCsv, sorted, table, value} from '../parts.js';

export const title = 'Destinations';

const STATES = {delivered: 'good', acknowledged: 'good', done: 'good', sent: 'good', empty: '', nothing: '', pending: 'warn', waiting: 'warn', partly: 'warn', failed: 'bad', refused: 'bad'};
const timeOf = (t) => { const d = typeof t === 'number' ? t : Date.parse(t) / 1000; return Number.isFinite(d) ? text.time(d) : ''; };

/* How the latest delivery went: a state and when. */
export function lastDelivery(last) {
  if (!last) return el('span', {class: 'none', text: 'none yet'});
  return el('span', {class: 'last'}, badge(last.state.replaceAll('_', ' '), STATES[last.state] ?? '', last.why || last.error || null), ' ', el('span', {class: 'fine number', text: timeOf(last.ended ?? last.t)}));
}

/* A destination that nothing was delivered to has no number, rather than one that is withheld. */
export function membersOf(d, key = 'members') {
  return d.last || d[key] !== null ? count(d[key], {k: d.below}) : value(null);
}

const columns = [
  {key: 'id', label: 'Destination', head: true, cell: (d) => el('div', null, el('a', {href: '#/destinations/' + encodeURIComponent(d.id)}, name(d.id)), d.partner && el('span', {class: 'under'}, name(d.partner)))},
  {key: 'members', label: 'Members', kind: 'number', cell: (d) => membersOf(d)},
  {key: 'match_rate', label: 'Match rate', kind: 'number', cell: (d) => value(d.match_rate, text.percent)},
  {key: 'bar', label: 'How much', quiet: true, still: true, csv: false, wide: true, cell: (d) => d.match_rate !== null && d.match_rate !== undefined && meter(d.match_rate, 'second')},
  {key: 'last', label: 'Latest delivery', wide: true, still: true, csv: (d) => d.last?.state, cell: (d) => lastDelivery(d.last)},
  {key: 'every', label: 'When', wide: true, cell: (d) => d.every || el('span', {class: 'none', text: 'by itself'})},
  {key: 'format', label: 'Format', wider: true},
  {key: 'segments', label: 'Segments', kind: 'number', wide: true, sort: (d) => (d.segments || []).length, csv: (d) => (d.segments || []).join(' '), cell: (d) => value((d.segments || []).length)},
];

export function rateOf(d) {
  return d.match_rate === null || d.match_rate === undefined ? '' : String(Math.round(d.match_rate * 1000) / 10);
}

export function show(view) {
  let rows = [];
  view.head('Destinations', {about: 'Where segments go, and how many members a partner knows.', tools: [saveCsv('destinations', () => csv(columns, rows))]});
  view.panel({wide: true, title: 'Destinations', load: (o) => get('/v1/destinations', o), draw: (list) => {
    const room = el('div', {class: 'card card-table'});
    const draw = () => {
      const sort = view.query.get('sort') || 'id';
      rows = sorted(list, columns, sort);
      room.replaceChildren(table({caption: 'Destinations', columns, rows, sort, onsort: (s) => { view.keep({sort: s}); draw(); room.querySelector('[aria-sort] button')?.focus(); }, attributes: (d) => ({'data-destination': d.id, 'data-match-rate': rateOf(d)})}));
    };
    if (list.length) draw();
    else room.append(empty('No destination is defined', 'A destination is a partner, a folder or the page itself. The file of destinations names them:'), el('pre', {class: 'snippet', text: 'version: 1\ndestinations:\n  - {id: newsletter, format: csv, schedule: daily at 04:30, deliver: {directory: /var/spool/crumb/newsletter}}\n'}));
    return room;
  }});
}
