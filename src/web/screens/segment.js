/* One segment: how it grew, what it means, where people drop out of its condition, who they are, whom it shares them with, where it goes, how its rule changed,
 * and whether one browser is in (explain.js).
 *
 *     #/segments/ID?days=30&compare=1 */
import {get, maybe, post, shared} from '../api.js';
import {timeChart} from '../chart.js';
import {el, name, text} from '../dom.js';
import {browserCard} from '../explain.js';
import {badge, completeness, count, csv, delta, empty, firstOf, indexBar, meter, range, rangePicker, saveCsv, segmentLink, split, table, tellBelow, tile, tiles, value} from '../parts.js';
import {lastDelivery} from './destinations.js';

export const title = 'Segment';

/* --- how it grew */

const DAY_MOST = 90;
const total = (list) => (list.some((v) => v !== null) ? list.reduce((a, b) => a + (b || 0), 0) : null);

/* Rules that changed this segment: [{day, words}]. */
function marksOf(history, id) {
  return (history || []).filter((h) => h.segments?.some((s) => s.id === id) || !h.segments).map((h) => ({day: new Date(h.t * 1000).toISOString().slice(0, 10), words: 'Rules: ' + (h.why || 'changed') + (h.who ? ' (' + h.who + ')' : '')}));
}

function trend(view, s, history) {
  const {days, compare} = range(view), of = (key) => s.days.map((d) => (d.recorded === false ? null : d[key]));
  const cut = (list) => split(list, days), list = cut(s.days)[0].map((d) => d.day);
  if (!list.length) return empty('No days yet', 'Sizes are written down from the day on which a segment begins to be counted.');
  const [size, sizeBefore] = cut(of('size')), [entered] = cut(of('entered')), [left] = cut(of('left'));
  const marks = marksOf(history, s.id), before = compare && sizeBefore.length === size.length ? {before: sizeBefore} : null;
  const moves = [{label: 'entered', values: entered, kind: 'bar', colour: 'data-2'}, {label: 'left', values: left, kind: 'bar', colour: 'before', below: true}];
  return el('div', {'data-trend': ''},
    timeChart({title: 'Members', days: list, series: [{label: 'members', values: size, kind: 'line', ...before}, ...moves.map((m) => ({...m, tableOnly: true}))], view, marks, fromZero: false, file: s.id + '-days'}),
    el('h3', {text: 'Entered and left'}), timeChart({title: 'Entered and left', days: list, series: moves, view, marks, low: true, withoutTable: true}),
    s.recorded_since && s.recorded_since > list[0] && el('p', {class: 'fine', text: 'Written down since ' + text.dayLong(s.recorded_since) + '; days before that have no number.'}));
}

function numbers(view, s) {
  const {days} = range(view), of = (key) => s.days.slice(-days).map((d) => d[key] ?? null), first = firstOf(s.days.slice(-days).map((d) => (d.recorded === false ? null : d.size ?? null)));
  return tiles(
    tile({label: 'Members now', mark: 'size', node: [count(s.size, {k: s.below, complete: s.complete}), first && delta(s.size, first.value)], note: first && 'on ' + text.day(s.days.slice(-days)[first.at].day) + ': ' + text.number(first.value)}),
    tile({label: 'Of all visitors', mark: 'share', node: s.share === null || s.share === undefined ? value(null) : el('span', {text: text.percent(s.share)})}),
    tile({label: 'Entered', mark: 'entered', node: value(total(of('entered'))), note: 'in ' + days + ' days'}),
    tile({label: 'Left', mark: 'left', node: value(total(of('left'))), note: 'in ' + days + ' days'}),
    s.lookalike && tile({label: 'Told from others by', mark: 'auc', node: value(s.lookalike.auc, text.real), note: 'activity alone: ' + (s.lookalike.activity_auc === null ? '–' : text.real(s.lookalike.activity_auc))}));
}

/* --- what it means */

function words(s, report) {
  const known = report?.words || (s.kind === 'lookalike' && s.lookalike ? `Visitors who resemble ${s.lookalike.seed}: ${s.lookalike.reach}.` : '');
  return [el('p', {class: 'words', dir: 'auto', 'data-in-words': '', text: known || 'This server does not say it in words yet.'}), s.when && el('code', {class: 'condition', dir: 'ltr', text: s.when}), facts(s)];
}

function facts(s) {
  const rows = [['owner', s.owner], ['labels', (s.labels || []).join(', ')], ['held out', s.split && s.split + ' get it and are held out'], ['until', s.until && text.dayLong(s.until)], ['alert', s.alert && 'below ' + text.number(s.alert.below) + (s.alert.firing ? ', fires' : '')]].filter(([, v]) => v);
  return rows.length > 0 && el('dl', {class: 'pairs'}, rows.map(([k, v]) => [el('dt', {text: k}), el('dd', null, name(v))]));
}

/* --- the report of the day */

/* The numbers of the report are of one moment; those above are of now. */
const asOf = (report) => report?.made && el('p', {class: 'fine', 'data-as-of': String(report.made), text: 'As of ' + text.time(report.made) + '.'});

function notMade(view, report) {
  if (report?.made) return null;
  const say = el('span');
  const make = async (e) => {
    e.target.disabled = true;
    say.textContent = ' It is being made; that takes a while with many visitors.';
    try {
      await post('/v1/report', null, {signal: view.signal});
      location.reload();
    } catch (problem) {
      say.textContent = ' ' + problem.message;
      e.target.disabled = false;
    }
  };
  return el('div', null, empty('Not in the report yet', 'Once a day, and when rules have changed, one reading of all visitors makes these numbers. They cost no question.',
    view.may('marketer') && el('button', {type: 'button', onclick: make, text: 'Make it now'}), say));
}

function funnel(view, report) {
  const steps = report?.funnel || [], none = notMade(view, report);
  if (!steps.length) return el('div', {'data-funnel': ''}, none || empty('One step only', 'This condition has no parts that could be counted one after the other.'));
  if (steps[0].size === undefined) return el('div', {'data-funnel': ''}, el('ol', {class: 'funnel'}, steps.map((s) => el('li', {'data-clause': s.clause, 'data-size': ''}, el('div', null, el('span', {dir: 'auto', text: s.words || s.clause}), el('code', {dir: 'ltr', text: s.clause}))))), none);
  const most = Math.max(...steps.map((s) => s.size || 0), 1), first = steps[0].size;
  return [el('ol', {class: 'funnel', 'data-funnel': ''}, steps.map((s) => el('li', {'data-clause': s.clause, 'data-size': s.size === null ? '' : String(s.size)},
    el('div', null, el('span', {dir: 'auto', text: s.words || s.clause}), s.words && el('code', {dir: 'ltr', text: s.clause})),
    el('div', null, count(s.size), s.size !== null && first > 0 && el('span', {class: 'part', text: text.percent(s.size / first)})), meter(s.size / most)))), asOf(report)];
}

/* Countries come as codes: the browser knows their names. */
function nameOf(key, g) {
  if (key !== 'countries' || !/^[A-Z]{2}$/.test(g.id)) return g.name || g.id;
  try { return new Intl.DisplayNames([navigator.language], {type: 'region'}).of(g.id); } catch { return g.id; }
}

function groups(view, report, key, label) {
  const all = report?.[key] || [], rows = all.filter((g) => g.share !== null), rest = all.filter((g) => g.share === null);
  if (!rows.length) return notMade(view, report) || empty('Nothing to tell', 'No group of these is large enough.');
  const columns = [{key: 'name', label, head: true, cell: (g) => name(nameOf(key, g))}, {key: 'visitors', label: 'Visitors', kind: 'number', wide: true, cell: (g) => count(g.visitors)},
    {key: 'share', label: 'Share', kind: 'number', cell: (g) => value(g.share, text.percent)}, {key: 'everybody', label: 'Everybody', kind: 'number', wide: true, cell: (g) => value(g.everybody, text.percent)},
    {key: 'index', label: 'Index', kind: 'number', cell: (g) => value(g.index)}, {key: 'bar', label: 'Against everybody', quiet: true, csv: false, cell: (g) => indexBar(g.index)}];
  return [table({caption: label + ', against all visitors', columns, rows}), rest.length > 0 && el('p', {class: 'fine'}, 'Too few to be told: ', rest.map((g, i) => [i ? ', ' : '', name(nameOf(key, g))]), '.'), asOf(report), el('div', {class: 'tools end'}, saveCsv(report.id + '-' + key, () => csv(columns, rows)))];
}

function nearest(view, report) {
  const rows = report?.nearest || [];
  if (!rows.length) return notMade(view, report) || empty('No neighbour', 'It shares too few members with any other segment to be told.');
  const columns = [{key: 'name', label: 'Segment', head: true, cell: (r) => segmentLink(r.id, r.name)}, {key: 'both', label: 'In both', kind: 'number', cell: (r) => count(r.both)},
    {key: 'of_this', label: 'Of this', kind: 'number', cell: (r) => value(r.of_this, text.percent)}, {key: 'of_that', label: 'Of that', kind: 'number', wide: true, cell: (r) => value(r.of_that, text.percent)},
    {key: 'bar', label: 'How much', quiet: true, wide: true, csv: false, cell: (r) => meter(r.of_this)}];
  return [table({caption: 'Segments that share most members with this one', columns, rows}), asOf(report), el('div', {class: 'tools end'}, saveCsv(report.id + '-nearest', () => csv(columns, rows)))];
}

/* --- where it goes, and how it changed */

function goesTo(all, s) {
  const rows = (all || []).filter((d) => (d.segments || []).includes(s.id));
  if (!rows.length) return (s.destinations || []).length ? el('p', null, s.destinations.map((d, i) => [i ? ', ' : '', el('a', {href: '#/destinations/' + encodeURIComponent(d)}, name(d))])) : empty('Nowhere yet', 'A segment goes to the destinations that its rule names.');
  return table({caption: 'Where it goes', rows, columns: [{key: 'id', label: 'Destination', head: true, cell: (d) => el('a', {href: '#/destinations/' + encodeURIComponent(d.id)}, name(d.id))},
    {key: 'match_rate', label: 'Match rate', kind: 'number', cell: (d) => value(d.match_rate, text.percent)}, {key: 'last', label: 'Latest delivery', cell: (d) => lastDelivery(d.last)}]});
}

function changes(history, s) {
  const rows = (history || []).filter((h) => h.segments?.some((x) => x.id === s.id));
  if (!rows.length) return empty('Unchanged', 'Nobody has changed its rule here.');
  const of = (h) => h.segments.find((x) => x.id === s.id);
  return table({caption: 'How its rule changed', rows, columns: [{key: 't', label: 'When', cell: (h) => text.time(h.t)}, {key: 'who', label: 'Who', cell: (h) => name(h.who || '')}, {key: 'why', label: 'Why', head: true, cell: (h) => name(h.why || '')},
    {key: 'before', label: 'Before', kind: 'number', cell: (h) => count(of(h).before)}, {key: 'after', label: 'After', kind: 'number', cell: (h) => count(of(h).after)}]});
}

/* --- the screen */

/* Until a report has it, the server says the condition in words, and its parts without numbers. */
async function worded(report, s, o) {
  if (report?.words || !s.when || s.kind === 'lookalike') return report;
  const said = await maybe(post('/v1/ask/words', s.when, o));
  return {id: s.id, made: null, ...report, words: said?.words, funnel: (said?.clauses || []).map((c) => ({...c, size: undefined}))};
}

/* Everything is asked at once; what only some servers or roles have may be missing. */
function ask(view, id) {
  const o = {signal: view.signal}, of = (path, parameters) => shared(() => maybe(get(path, {...o, parameters})));
  const segment = shared(() => get('/v1/segment', {...o, parameters: {id, days: range(view).ask}}));
  return {segment, report: shared(async () => worded(await maybe(get('/v1/report/segment', {...o, parameters: {id}})), await segment(), o)), history: of('/v1/rules/history'), destinations: of('/v1/destinations')};
}

export async function show(view) {
  const id = view.parts[1], got = ask(view, id), s = await got.segment();
  tellBelow(s);
  view.title(s.name || id);
  const redraw = async () => {
    const {ask: n} = range(view);
    if (s.days.length < n) s.days = (await get('/v1/segment', {signal: view.signal, parameters: {id, days: Math.min(n, DAY_MOST)}})).days;
    top.again();
  };
  view.head(name(s.name || id), {
    about: [el('span', {class: 'id', text: s.id}), ' ', (s.kind === 'lookalike' && badge('lookalike')) || '', ' ', (s.state !== 'active' && badge(s.state, 'warn')) || '', ' ', completeness(s) || ''],
    tools: [rangePicker(view, redraw), ...acts(view, s)]});
  const top = view.panel({wide: true, title: 'Members by day', load: () => got.history(),
    draw: (history) => el('div', {class: 'stack'}, pickerNow(view, redraw), numbers(view, s), el('section', {class: 'panel card', 'aria-label': 'Trend'}, el('div', {class: 'panel-head'}, el('h2', {text: 'Members by day'})), trend(view, s, history)))});
  const row = () => view.root.appendChild(el('div', {class: 'two'}));
  const first = row(), second = row(), third = row(), fourth = row(), report = () => got.report();
  view.panel({into: first, title: 'In words', load: report, draw: (r) => words(s, r)});
  view.panel({into: first, title: 'Funnel', about: 'Members after each part of the condition.', load: report, draw: (r) => funnel(view, r)});
  view.panel({into: second, title: 'Categories', about: 'What they look at. Index 100 is as everybody.', load: report, draw: (r) => groups(view, r, 'categories', 'Category')});
  view.panel({into: second, title: 'Shares members with', load: report, draw: (r) => nearest(view, r)});
  view.panel({into: third, title: 'Devices', load: report, draw: (r) => groups(view, r, 'devices', 'Device')});
  view.panel({into: third, title: 'Countries', load: report, draw: (r) => groups(view, r, 'countries', 'Country')});
  view.panel({into: fourth, title: 'Goes to', load: () => got.destinations(), draw: (d) => goesTo(d, s)});
  view.panel({into: fourth, title: 'Changes of its rule', load: () => got.history(), draw: (h) => changes(h, s)});
  browserCard(view, s, view.root);
}

/* What who may change rules can do with it. */
function acts(view, s) {
  const all = el('a', {class: 'button', href: '#/segments'}, 'All segments'), of = encodeURIComponent(s.id);
  if (s.kind === 'lookalike') return [el('a', {class: 'button', href: '#/lookalikes/' + of}, 'Model and reach'), all];
  if (!view.may('marketer')) return [all];
  return [el('a', {class: 'button primary', 'data-edit': '', href: '#/edit/' + of}, 'Edit'), el('a', {class: 'button', href: '#/lookalikes?seed=' + of}, 'Make a lookalike'), all];
}

/* The picker in the head shows what is chosen now. */
function pickerNow(view, redraw) {
  view.root.querySelector('.head .range').replaceWith(rangePicker(view, redraw));
  return null;
}
