/* Health: what comes and what is refused by day, what was set aside, whether the server is well.
 *
 *     #/health?days=30 */
import {get, maybe, post, shared} from '../api.js';
import {timeChart} from '../chart.js';
import {el, name, speak, text} from '../dom.js';
import {badge, csv, empty, range, rangePicker, reasonName, saveCsv, spark, sparkWords, split, table, tile, tiles, value} from '../parts.js';

export const title = 'Health';

const COLOURS = ['data', 'data-4', 'data-3', 'data-2', 'data-5', 'before'];
const total = (list) => list.reduce((a, b) => a + (b || 0), 0);

/* --- is it well */

/* {name: value} of the samples without labels, and those of one label apart. */
function samples(lines) {
  const found = {};
  for (const line of lines.split('\n')) {
    const m = /^crumb_([a-z_]+)(?:\{([^}]*)\})? (\S+)$/.exec(line);
    if (m) found[m[2] ? m[1] + '{' + m[2] + '}' : m[1]] = Number(m[3]);
  }
  return found;
}

function server([ready, metrics, s]) {
  const m = samples(metrics || ''), version = /crumb_build_info\{version="([^"]*)"/.exec(metrics || '')?.[1], well = /^ready/.test(ready), number = (key) => m[key] ?? null;
  const rest = ready.replace(/^(not )?ready:?\s*/, '').trim();
  return [el('p', {class: 'well'}, badge(well ? 'ready' : 'not ready', well ? 'good' : 'bad'), ' ', well && !rest ? 'Hits are recorded and the numbers follow.' : ''), rest && el('p', {class: 'note', dir: 'auto', text: rest}),
    tiles(tile({label: 'Behind by', mark: 'lag', node: value(number('fold_lag_seconds'), text.seconds)}), tile({label: 'Expiry behind by', mark: 'sweep', node: value(number('sweep_hours_behind'), (h) => text.number(h) + ' h')}),
      tile({label: 'Disk free', mark: 'disk', node: value(s?.disk_free ?? null, text.percent)}), tile({label: 'Memory in use', mark: 'memory', node: value(number('heap_bytes'), text.bytes)}),
      tile({label: 'Damaged days', mark: 'damage', node: value(number('damaged_days')), note: number('damaged_days') ? badge('look', 'bad') : null}), tile({label: 'Version', mark: 'version', node: el('span', {class: 'small', text: version || '–'})}))];
}

/* --- hits by day */

function rowsOf(report, what, days) {
  return (report.rows || []).filter((r) => r.what === what).map((r) => ({...r, by_day: split(r.by_day, days)[0]})).filter((r) => total(r.by_day) > 0).sort((a, b) => total(b.by_day) - total(a.by_day));
}

function came(view, report) {
  const {days, compare} = range(view), list = split(report.days, days)[0], of = (what) => report.rows.find((r) => r.what === what && !r.reason)?.by_day || [];
  const [now, before] = split(of('hits'), days);
  if (!now.length) return empty('No days yet', 'Hits are counted by day from now on.');
  return [timeChart({title: 'Hits', days: list, series: [{label: 'hits', values: now, kind: 'bar', ...(compare && before.length === now.length ? {before} : null)}, {label: 'events that count', values: split(of('events'), days)[0], tableOnly: true}, {label: 'look-ups', values: split(of('lookups'), days)[0], tableOnly: true}], view, file: 'hits'}), since(report, list)];
}

function since(report, list) {
  return report.recorded_since && report.recorded_since > list[0] && el('p', {class: 'fine', text: 'Counted by day since ' + text.dayLong(report.recorded_since) + '.'});
}

function byReason(view, report, what, words) {
  const {days} = range(view), list = split(report.days, days)[0], rows = rowsOf(report, what, days);
  if (!rows.length) return empty('None', words);
  const columns = [{key: 'reason', label: 'Reason', head: true, cell: (r) => reasonName(r.reason || what, r.help)}, {key: 'sum', label: 'In ' + days + ' days', kind: 'number', csv: (r) => total(r.by_day), cell: (r) => value(total(r.by_day))},
    {key: 'trend', label: 'By day', wide: true, csv: false, cell: (r) => spark(r.by_day, 'By day: ' + sparkWords(r.by_day))}];
  const most = rows.slice(0, COLOURS.length - 1), rest = rows.slice(most.length);
  const series = most.map((r, i) => ({label: (r.reason || what).replaceAll('_', ' '), values: r.by_day, kind: 'bar', colour: COLOURS[i]}));
  if (rest.length) series.push({label: 'others', values: list.map((_, i) => total(rest.map((r) => r.by_day[i]))), kind: 'bar', colour: 'before'});
  return [timeChart({title: words, days: list, series, view, low: true, file: what}), table({caption: words, columns, rows}), el('div', {class: 'tools end'}, saveCsv(what + '-reasons', () => csv(columns, rows)))];
}

/* --- what was set aside, rules, history */

/* Releases what an operator says was no junk: it counts from now on. */
function release(view, r, again) {
  const said = el('span', {class: 'under', role: 'status'});
  let sure = false;
  const button = el('button', {type: 'button', 'data-release': r.reason, onclick: async () => {
    if (!sure) {
      sure = true;
      button.textContent = `Count ${text.number(r.events)} events?`;
      return;
    }
    button.disabled = true;
    try {
      const told = await post('/v1/quarantine/release', r.pattern ? r.reason + ' ' + r.pattern : r.reason, {signal: view.signal});
      speak(`${text.number(told.released)} events count now`);
      again();
    } catch (e) {
      if (e.name === 'AbortError') return;
      button.disabled = false;
      said.textContent = e.message;
    }
  }, onblur: () => { if (sure && !button.disabled) { sure = false; button.textContent = 'Release'; } }, text: 'Release'});
  return [button, said];
}

const LOOKS = 60;

/* After a start the server counts its journal first, and says that it is busy. */
async function counted(options) {
  for (let i = 1; ; i++) {
    try {
      return await get('/v1/quarantine', options);
    } catch (e) {
      if (e.status !== 503 || i === LOOKS) throw e;
    }
    await new Promise((go) => setTimeout(go, 1000));
  }
}

function quarantine(view, rows, again) {
  if (!rows.length) return empty('Nothing set aside', 'What looks like a program or a test would be kept here, uncounted, until somebody releases it or it expires.');
  return table({caption: 'What was set aside', rows, columns: [{key: 'reason', label: 'Reason', head: true, cell: (r) => reasonName(r.reason)}, {key: 'pattern', label: 'Pattern', cell: (r) => r.pattern && name(r.pattern)},
    {key: 'events', label: 'Events', kind: 'number', cell: (r) => value(r.events)}, {key: 'first_day', label: 'From', wide: true, cell: (r) => r.first_day && text.day(r.first_day)}, {key: 'last_day', label: 'To', wide: true, cell: (r) => r.last_day && text.day(r.last_day)},
    ...(view.may('operator') ? [{key: 'release', label: 'What to do', quiet: true, csv: false, cell: (r) => release(view, r, again)}] : [])]});
}

function rules(s) {
  const partial = s.partial || [];
  return [el('dl', {class: 'pairs'}, [['serving since', s.serving_since && text.time(s.serving_since)], ['hash', s.hash], ['from', s.path]].filter(([, v]) => v).map(([k, v]) => [el('dt', {text: k}), el('dd', null, name(v))])),
    s.trouble && el('p', {class: 'note', dir: 'auto', text: s.trouble}), s.backfill && el('p', {class: 'note', text: 'Changed rules are being applied to the history: ' + text.percent(s.backfill.done ?? 0)}),
    partial.length ? el('ul', {class: 'rows'}, partial.map((p) => el('li', null, badge('since ' + (p.from ? text.day(p.from) : '?'), 'warn'), el('span', {class: 'grow'}, name(p.id), p.why && el('span', {class: 'under', text: p.why}))))) : el('p', {class: 'fine', text: 'Every rule is counted over the whole history.'})];
}

export function show(view) {
  const o = {signal: view.signal}, again = () => { view.root.querySelector('.head .range').replaceWith(rangePicker(view, again)); hits = ask(); panels.forEach((p) => p.again()); };
  const ask = () => shared(() => get('/v1/report/hits', {...o, parameters: {days: range(view).ask}}));
  let hits = ask();
  view.head('Health', {about: 'Is the tag there, is consent given, does the server keep up?', tools: [rangePicker(view, again)]});
  view.panel({wide: true, title: 'The server', load: () => Promise.all([get('/readyz', o).catch((e) => { if (e.status === 503) return e.message; throw e; }), view.may('operator') ? maybe(get('/metrics', o)) : null, maybe(get('/v1/report/summary', o))]), draw: server});
  const panels = [view.panel({title: 'Hits', load: () => hits(), draw: (r) => came(view, r)})];
  const two = view.root.appendChild(el('div', {class: 'two'})), more = view.root.appendChild(el('div', {class: 'two'}));
  panels.push(view.panel({into: two, title: 'Refused by consent', load: () => hits(), draw: (r) => byReason(view, r, 'refused', 'Hits not recorded, by reason')}),
    view.panel({into: two, title: 'Set aside', load: () => hits(), draw: (r) => byReason(view, r, 'set_aside', 'Hits set aside, by reason')}),
    view.panel({into: more, title: 'Dropped by the wall', about: 'Parts of events that could name a person, and were not kept.', load: () => hits(), draw: (r) => byReason(view, r, 'dropped', 'Parts of events dropped')}),
    view.panel({into: more, title: 'Cookies', load: () => hits(), draw: (r) => byReason(view, r, 'cookies', 'Hits by the cookie that came with them')}));
  const last = view.root.appendChild(el('div', {class: 'two'}));
  const aside = view.askedFor({into: last, title: 'Set aside, by pattern', why: ['Which programs, which patterns', 'What is set aside can be released within its days. The first look after a start takes a moment.'], button: 'Show them', load: counted, draw: (rows) => quarantine(view, rows, () => aside.again())});
  view.panel({into: last, title: 'Rules', load: (p) => get('/v1/rules/status', p), draw: rules});
}
