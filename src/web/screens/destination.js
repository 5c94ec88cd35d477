/* One destination: members and match rate, rows by day, deliveries, what goes there.
 *
 *     #/destinations/ID?days=30 */
import {get, maybe, Trouble} from '../api.js';
import {timeChart} from '../chart.js';
import {el, name, text} from '../dom.js';
import {badge, empty, range, rangePicker, segmentLink, split, table, tile, tiles, value} from '../parts.js';
import {acts, destinationOf, headOf, listOf, notGoing, whyOf} from '../deliver.js';
import {lastDelivery, membersOf, rateOf} from './destinations.js';

export const title = 'Destination';

function numbers(d) {
  // who has no partner knows the browsers by our ids
  return el('div', {'data-destination': d.id, 'data-match-rate': rateOf(d)}, tiles(tile({label: 'Members', mark: 'members', node: membersOf(d)}), d.partner && [tile({label: 'With the partner’s id', mark: 'with_id', node: membersOf(d, 'with_id')}),
    tile({label: 'Match rate', mark: 'match', node: value(d.match_rate, text.percent)})], tile({label: 'Latest delivery', mark: 'last', node: el('span', {class: 'small'}, lastDelivery(d.last))})));
}

/* What failed last, in the partner's words. */
function trouble(d) {
  return ['failed', 'waiting'].includes(d.last?.state) && whyOf(d.last) && el('p', {class: 'note', dir: 'auto', text: whyOf(d.last)});
}

function byDay(view, report, id) {
  const {days} = range(view), row = report?.destinations?.find((x) => x.id === id), list = split(report?.days || [], days)[0];
  if (!row || !list.length) return empty('No days yet', 'Rows by day are kept from the first delivery on.');
  const of = (key) => split(row[key], days)[0];
  const series = [{label: 'added', values: of('added'), kind: 'bar', colour: 'data-2'}, {label: 'removed', values: of('removed'), kind: 'bar', colour: 'before', below: true},
    {label: 'refused', values: of('refused'), tableOnly: true}, {label: 'failures', values: of('failures'), tableOnly: true}, {label: 'members', values: of('members'), tableOnly: true}, {label: 'with the partner’s id', values: of('with_id'), tableOnly: true}];
  return timeChart({title: 'Rows by day', days: list, series, view, file: id + '-days'});
}

function deliveries(got) {
  const rows = listOf(got).slice(0, 30);
  if (!rows.length) return empty('None yet', 'Nothing was delivered so far.');
  const some = (key) => rows.some((r) => r[key] !== null && r[key] !== undefined && typeof r[key] !== 'object');
  return table({caption: 'Deliveries, latest first', rows, columns: [{key: 'delivery', label: 'Delivery', head: true, cell: (r) => el('span', {class: 'id', text: String(r.delivery ?? '')}), csv: (r) => String(r.delivery ?? '')}, {key: 'state', label: 'State', cell: (r) => [lastDelivery(r), whyOf(r) && el('span', {class: 'under', dir: 'auto', text: whyOf(r)})]},
    ...['added', 'removed', 'refused', 'owed', 'files'].filter(some).map((key) => ({key, label: key[0].toUpperCase() + key.slice(1), kind: 'number', wide: key !== 'added', cell: (r) => value(typeof r[key] === 'number' ? r[key] : null)}))]});
}

function facts(d) {
  const rows = [['format', d.format], ['way', d.deliver], ['to', d.to], ['when', d.every || 'by itself'], ['partner', d.partner]].filter(([, v]) => v);
  return el('dl', {class: 'pairs'}, rows.map(([k, v]) => [el('dt', {text: k}), el('dd', null, name(v))]));
}

export async function show(view) {
  const id = view.parts[1], list = await get('/v1/destinations', {signal: view.signal});
  let d = list.find((x) => x.id === id);
  if (!d) throw new Trouble('missing', 'There is no destination of that id.');
  view.title(id);
  const again = () => { view.root.querySelector('.head .range').replaceWith(rangePicker(view, again)); chart.again(); };
  view.head(name(id), {badges: d.partner && badge(d.partner), tools: [rangePicker(view, again), el('a', {class: 'button', href: '#/destinations'}, 'All destinations')]});
  const top = el('div', {class: 'stack'}), showTop = (now) => top.replaceChildren(numbers(now), trouble(now) || '');
  showTop(d);
  view.root.append(top);
  if (view.may('marketer')) view.root.append(el('section', {class: 'panel card', 'aria-label': 'Deliver'}, el('div', {class: 'panel-head'}, el('h2', {text: 'Deliver'})), acts(view, d, {again: async () => { const now = await destinationOf(view, id); if (now) { d = now; showTop(d); } why.again(); sent.again(); chart.again(); file && file.again(); }})));
  const chart = view.panel({title: 'Rows by day', about: 'Added above, removed below.', load: (o) => maybe(get('/v1/report/deliveries', {...o, parameters: {destination: id, days: range(view).ask}})), draw: (report) => byDay(view, report, id)});
  const two = view.root.appendChild(el('div', {class: 'two'}));
  const sent = view.panel({into: two, title: 'Deliveries', load: (o) => maybe(get('/v1/deliveries', {...o, parameters: {to: id}}), []), draw: deliveries});
  view.panel({into: two, title: 'What goes there', load: async () => d, draw: () => [facts(d), (d.segments || []).length ? el('ul', {class: 'rows'}, d.segments.map((s) => el('li', null, segmentLink(s)))) : empty('No segment', 'No rule names this destination.')]});
  const why = view.panel({title: 'Who does not go, and why', load: async () => d, draw: notGoing});
  const file = view.may('marketer') && view.panel({title: 'How a file begins', load: (o) => get('/v1/delivery/head', {...o, parameters: {to: id}}), draw: headOf});
}
