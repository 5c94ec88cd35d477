/* Today: what came, what needs attention, what moved. */
import {get, maybe} from '../api.js';
import {el, name, text} from '../dom.js';
import {badge, count, csv, delta, empty, meter, saveCsv, reasonName, segmentLink, spark, sparkWords, table, tile, tiles, value} from '../parts.js';

export const title = 'Today';

/* --- the numbers */

const sum = (rows, key) => rows.reduce((n, r) => n + (r[key] || 0), 0);

/* Hits of the days before, from the tallies: for the line beside today's number. */
function past(hits) {
  const row = hits?.rows?.find((r) => r.what === 'hits' && !r.reason);
  return row ? {days: hits.days, values: row.by_day} : null;
}

function part(n, all) {
  return all && n ? text.percent(n / all) + ' of what came' : null;
}

function numbers([s, hits]) {
  const refused = sum(s.refused, 'hits'), aside = sum(s.set_aside, 'hits'), all = s.hits + refused, before = past(hits);
  const yesterday = before && before.values.length > 1 ? before.values[before.values.length - 2] : null;
  return tiles(
    tile({label: 'Hits today', mark: 'hits', node: value(s.hits), note: [before && spark(before.values, 'Hits by day: ' + sparkWords(before.values)), yesterday !== null && text.number(yesterday) + ' yesterday']}),
    tile({label: 'Visitors', mark: 'visitors', href: '#/segments', node: count(s.visitors), note: s.visitors_complete === false ? badge('incomplete', 'warn', 'The history behind them is not whole.') : 'known and kept'}),
    tile({label: 'Without consent', mark: 'refused', href: '#/health', node: value(refused), note: part(refused, all) || 'nothing refused'}),
    tile({label: 'Set aside', mark: 'aside', href: '#/health', node: value(aside), note: part(aside, all) || 'nothing odd'}),
    tile({label: 'Behind by', mark: 'lag', node: el('span', {text: text.seconds(s.lag_s)}), note: s.lag_s < 60 ? 'as it should be' : badge('slow', 'warn')}),
    tile({label: 'Disk free', mark: 'disk', node: s.disk_free === null ? value(null) : el('span', {text: text.percent(s.disk_free)}), note: s.disk_free !== null && s.disk_free < 0.1 ? badge('low', 'bad') : 'room to grow'}));
}

/* --- what needs attention */

const KINDS = {alert: ['Alert', 'bad'], delivery: ['Delivery', 'bad'], damage: ['Damage', 'bad'], trouble: ['Trouble', 'bad'], clock: ['Clock', 'warn'], rule: ['Rule', 'warn'], history: ['History', 'warn']};

function attention(list) {
  if (!list.length) return empty('All is well', 'No alert fires, nothing failed, and every rule finds somebody.');
  return el('ul', {class: 'rows', 'data-attention': ''}, list.map((a) => {
    const [words, kind] = KINDS[a.what] || [a.what, ''], safe = /^#\//.test(a.link || '') ? a.link : null;
    return el('li', null, badge(words, kind), el('span', {class: 'grow'}, safe ? el('a', {href: safe}, name(a.says)) : name(a.says)));
  }));
}

/* --- what moved */

function moverTable(movers, since) {
  if (!movers.length) return empty('Nothing moved', 'No segment has another size than a ' + since + ' ago.');
  const most = Math.max(...movers.map((m) => Math.abs(m.change)), 1);
  const columns = [
    {key: 'name', label: 'Segment', head: true, cell: (m) => segmentLink(m.id, m.name)},
    {key: 'before', label: 'Before', kind: 'number', wide: true, cell: (m) => value(m.before)},
    {key: 'size', label: 'Now', kind: 'number', cell: (m) => count(m.size)},
    {key: 'change', label: 'Change', kind: 'number', cell: (m) => delta(m.size ?? m.change, m.before ?? 0, {percent: false})},
    {key: 'bar', label: 'How much', quiet: true, csv: false, cell: (m) => meter(Math.abs(m.change) / most, m.change < 0 ? 'still' : '')},
  ];
  return [table({caption: 'What moved most since a ' + since + ' ago', columns, rows: movers}), () => csv(columns, movers)];
}

function movers(view, of) {
  const node = el('section', {class: 'panel card', 'aria-label': 'What moved'}), room = el('div'), save = el('span'), pick = el('div', {class: 'segmented', role: 'group', 'aria-label': 'Since when'});
  const draw = () => {
    const since = view.query.get('since') === 'week' ? 'week' : 'day';
    pick.replaceChildren(...[['day', 'a day ago'], ['week', 'a week ago']].map(([k, words]) => el('button', {type: 'button', 'aria-pressed': String(k === since), onclick: () => { view.keep({since: k === 'day' ? null : k}); draw(); }, text: words})));
    const [shown, text] = [moverTable(of[since], since)].flat();
    room.replaceChildren(shown);
    save.replaceChildren(text ? saveCsv('movers-' + since, text) : '');
  };
  draw();
  node.append(el('div', {class: 'panel-head'}, el('h2', {text: 'What moved'}), el('div', {class: 'tools'}, save, pick)), room);
  return node;
}

/* --- why hits were not taken */

/* What a reason means, in the server's words: {reason: sentence}. */
function helpOf(hits, what) {
  return Object.fromEntries((hits?.rows || []).filter((r) => r.what === what).map((r) => [r.reason, r.help]));
}

function reasons(rows, help, words) {
  const most = Math.max(...rows.map((r) => r.hits), 1), all = sum(rows, 'hits');
  if (!all) return empty('None today', words);
  const columns = [{key: 'reason', label: 'Reason', head: true, cell: (r) => reasonName(r.reason, help[r.reason])}, {key: 'hits', label: 'Hits', kind: 'number', cell: (r) => value(r.hits)},
    {key: 'part', label: 'Part', kind: 'number', csv: (r) => r.hits / all, cell: (r) => text.percent(r.hits / all)}, {key: 'bar', label: 'How much', quiet: true, csv: false, cell: (r) => meter(r.hits / most)}];
  return table({caption: words, columns, rows: rows.filter((r) => r.hits).sort((a, b) => b.hits - a.hits)});
}

/* Nobody yet: how to put the tag on a page. */
function firstHit(s) {
  if (s.visitors || s.hits || s.visitors === null) return null;
  return el('section', {class: 'panel card', 'aria-label': 'How to begin'}, el('div', {class: 'panel-head'}, el('h2', {text: 'Put the tag on your pages'})),
    el('p', {class: 'about', text: 'Nothing has come yet. One line in the head of each page is enough; write the address of your collect listener into it, and list your site in the option sites.'}),
    el('pre', {class: 'snippet', text: `<script async src="https://${/[a-z]\./.test(location.hostname) ? location.hostname : 'crumb.shop.example'}/crumb.js"></script>`}));
}

function panels(view, [s, hits]) {
  const two = (how, ...all) => el('div', {class: 'two ' + how}, all);
  const section = (words, node, about) => el('section', {class: 'panel card', 'aria-label': words}, el('div', {class: 'panel-head'}, el('h2', {text: words})), about && el('p', {class: 'about', text: about}), node);
  return [firstHit(s), two('uneven', section('Needs attention', attention(s.attention)), movers(view, s.movers)),
    two('', section('Refused by consent', reasons(s.refused, helpOf(hits, 'refused'), 'Hits that came today and were not recorded, by reason')), section('Set aside', reasons(s.set_aside, helpOf(hits, 'set_aside'), 'Hits of today that look like programs or tests; they can be released')))];
}

export function show(view) {
  view.head('Today', {about: text.dayLong(new Date().toISOString().slice(0, 10))});
  view.panel({wide: true, title: 'Numbers of today', load: (o) => Promise.all([get('/v1/report/summary', o), maybe(get('/v1/report/hits', {...o, parameters: {days: 30}}))]),
    draw: (all) => el('div', {class: 'stack'}, numbers(all), panels(view, all))});
}
