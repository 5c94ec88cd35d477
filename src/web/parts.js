/* Shared parts of all screens: states, numbers, badges, tables, small drawings, the range of days, CSV. Charts with axes are in chart.js.
 *
 * A number that the gate withholds is null, never 0, and is shown as such. Every drawing has a table beside it or is one. */
import {el, fill, name, svg, text, speak} from './dom.js';

/* --- states of a panel or a page */

export function loading() {
  return el('div', {class: 'loading', 'aria-busy': 'true'}, el('span', {class: 'unseen', text: 'Loading'}), el('i'), el('i'), el('i'));
}

/* Nothing to show, and what would change that. */
export function empty(title, words, ...more) {
  return el('div', {class: 'state'}, el('p', {class: 'state-title', text: title}), words && el('p', {text: words}), more);
}

const SAID = {
  absent: ['Not available yet', 'This server does not offer this yet. The rest of the dashboard does not need it.'],
  forbidden: ['Not for your role', 'Somebody with another role can see this.'],
  offline: ['The server does not answer', 'Perhaps it is being restarted. What you see elsewhere may be old.'],
  busy: ['Not now', null],
  missing: ['Not found', null],
};

/* Why there is nothing, from a Trouble; `again` tries once more. */
export function failed(e, again) {
  const [title, words] = SAID[e.kind] || ['This could not be loaded', null];
  const sentence = words || e.message || '';
  const calm = ['absent', 'forbidden', 'missing'].includes(e.kind);
  return el('div', {class: calm ? 'state' : 'state bad', role: calm ? null : 'alert', 'data-state': e.kind || 'failed'},
    el('p', {class: 'state-title', text: title}), el('p', {dir: 'auto', text: sentence}),
    again && !calm && el('button', {type: 'button', onclick: again, text: 'Try again'}));
}

/* --- numbers */

let below = 50;
/* `privacy.k`, as who signed in is told, or a row. */
export function tellBelow(row) {
  if (row && row.below) below = row.below;
}
export const withheldWords = (k) => 'fewer than ' + text.number(k || below);

/* A count of visitors, or that it is withheld. */
export function count(n, {k, complete} = {}) {
  if (n === null || n === undefined)
    return el('span', {class: 'withheld', title: 'Groups this small are not told, so that nobody can be found in them.', text: complete === false ? 'not known yet' : withheldWords(k)});
  return el('span', {class: 'number', text: text.number(n)});
}

/* A number of which null means that it was not recorded, or withheld. */
export function value(n, write = text.number) {
  return n === null || n === undefined ? el('span', {class: 'none', title: 'withheld, or not recorded'}, el('span', {'aria-hidden': 'true', text: '–'}), el('span', {class: 'unseen', text: 'withheld, or not recorded'})) : el('span', {class: 'number', text: write(n)});
}

/* How a number moved: +120 or +12 %. */
export function delta(now, before, {percent = true} = {}) {
  if (now === null || before === null || now === undefined || before === undefined) return null;
  const by = now - before, kind = by > 0 ? 'up' : by < 0 ? 'down' : 'same';
  // from next to nothing a percentage says nothing
  const words = percent && before && Math.abs(by) < 10 * before ? text.percentChange(by / before) : text.change(by);
  return el('span', {class: 'delta ' + kind, title: text.number(before) + ' before', text: words});
}

export function badge(words, kind = '', title) {
  return el('span', {class: 'badge ' + kind, title, text: words});
}

/* Whether the numbers of a row can be relied on. */
export function completeness(row) {
  if (row.complete === false) return badge('incomplete', 'warn', 'Rules that change it are still on their way into the numbers.');
  if (row.history_from) return badge('since ' + text.day(row.history_from), '', 'The history behind it begins on ' + text.dayLong(row.history_from) + '.');
  return null;
}

/* A large number with its name, and how it moved. */
export function tile({label, node, note, href, mark}) {
  const inside = [el('dt', {text: label}), el('dd', {class: 'tile-number'}, node), note && el('dd', {class: 'tile-note'}, note)];
  return el('div', {class: 'tile', 'data-tile': mark}, href ? [inside[0], el('dd', {class: 'tile-number'}, el('a', {href}, node)), inside[2]] : inside);
}
export const tiles = (...all) => el('dl', {class: 'tiles'}, all);

/* --- small drawings */

const SPARK = {w: 96, h: 24, pad: 2};

/* A line of a few numbers, with gaps where one is withheld. What it says to readers is in `label`. */
export function spark(values, label) {
  const known = values.filter((v) => v !== null);
  const node = svg('svg', {class: 'spark', viewBox: `0 0 ${SPARK.w} ${SPARK.h}`, width: SPARK.w, height: SPARK.h, role: 'img', 'aria-label': label});
  if (known.length < 2) return el('span', {class: 'spark none', role: 'img', 'aria-label': label});
  const low = Math.min(...known), high = Math.max(...known), room = SPARK.h - 2 * SPARK.pad;
  const x = (i) => (SPARK.pad + (i * (SPARK.w - 2 * SPARK.pad)) / (values.length - 1)).toFixed(1);
  const y = (v) => (SPARK.pad + (high === low ? room / 2 : room - ((v - low) / (high - low)) * room)).toFixed(1);
  let d = '', open = false;
  values.forEach((v, i) => {
    if (v !== null) d += (open ? 'L' : 'M') + x(i) + ' ' + y(v);
    open = v !== null;
  });
  const last = values.length - 1;
  node.append(svg('path', {d}), values[last] === null ? '' : svg('circle', {cx: x(last), cy: y(values[last]), r: 2}));
  return node;
}

let waiting = null; // draws the sparks that come near

/* A spark that is drawn when it comes near the window, for long lists: a thousand small drawings take longer than all the rest. */
export function lateSpark(values, label) {
  const room = el('span', {class: 'spark', role: 'img', 'aria-label': label});
  waiting ||= new IntersectionObserver((seen) => {
    for (const one of seen.filter((s) => s.isIntersecting)) {
      waiting.unobserve(one.target);
      one.target.replaceWith(one.target.make());
    }
  }, {rootMargin: '800px'});
  room.make = () => spark(values, label);
  waiting.observe(room);
  return room;
}

/* On paper there is no near and far. */
addEventListener('beforeprint', () => document.querySelectorAll('span.spark').forEach((room) => room.make && room.replaceWith(room.make())));

/* What a spark says in words. */
export function sparkWords(values) {
  const known = values.filter((v) => v !== null);
  if (!known.length) return 'no numbers yet';
  return `from ${text.number(known[0])} to ${text.number(known[known.length - 1])}, between ${text.number(Math.min(...known))} and ${text.number(Math.max(...known))}`;
}

/* A bar as long as `part` of 1, for cells of a table. */
export function meter(part, kind = '') {
  return el('span', {class: 'meter ' + kind, 'aria-hidden': 'true', vars: {part: Math.max(0, Math.min(1, part || 0))}}, part > 0 && el('i'));
}

/* An index: 100 is as everybody. The bar grows from the middle, to the right when above; twice as many and half as many are equally long. */
export function indexBar(index) {
  if (index === null || index === undefined) return el('span', {class: 'index'});
  const by = Math.max(-1, Math.min(1, Math.log2(Math.max(index, 1) / 100) / 3));
  return el('span', {class: 'index ' + (by < 0 ? 'under' : 'over'), 'aria-hidden': 'true', vars: {by: Math.abs(by)}}, el('i'));
}

/* --- tables */

function cellOf(column, row) {
  const made = column.cell ? column.cell(row) : row[column.key];
  return made === null || made === undefined ? '' : made;
}

const order = new Intl.Collator(undefined, {numeric: true});

function compare(a, b) {
  const none = (v) => v === null || v === undefined || v === '';
  if (none(a) || none(b)) return none(a) - none(b);
  return typeof a === 'number' ? a - b : order.compare(a, b);
}

/* Rows in the order of `sort`: 'size' or '-size'. What has no value comes last either way. */
export function sorted(rows, columns, sort) {
  const key = sort.replace(/^-/, ''), down = sort.startsWith('-'), column = columns.find((c) => c.key === key);
  if (!column) return rows;
  const of = column.sort || ((row) => row[key]);
  return rows.map((row, i) => [of(row), i, row]).sort((a, b) => {
    const none = [a, b].some(([v]) => v === null || v === undefined || v === '');
    return (none || !down ? compare(a[0], b[0]) : compare(b[0], a[0])) || a[1] - b[1];
  }).map((x) => x[2]);
}

function heading(column, sort, onsort) {
  const is = sort && sort.replace(/^-/, '') === column.key, down = is && sort.startsWith('-');
  const classes = [column.kind, column.wide && 'wide', column.wider && 'wider', column.key === 'bar' && 'bars'].filter(Boolean).join(' ');
  if (!onsort || column.still) return el('th', {scope: 'col', role: 'columnheader', class: classes}, column.quiet ? el('span', {class: 'unseen', text: column.label}) : column.label);
  const first = column.kind === 'number' ? '-' + column.key : column.key;
  return el('th', {scope: 'col', role: 'columnheader', class: classes, 'aria-sort': is ? (down ? 'descending' : 'ascending') : null},
    el('button', {type: 'button', class: 'sort', onclick: () => onsort(is ? (down ? column.key : '-' + column.key) : first)}, column.label, el('span', {class: 'arrow', 'aria-hidden': 'true', text: is ? (down ? '↓' : '↑') : ''})));
}

const LONG = 60; // rows: more are a long table
const STEADY = {head: 'minmax(8.5em, 3fr)', trend: '116px', other: 'minmax(100px, 1fr)'};

/* How wide a column of a long table is: what it says itself, or for its longest number and its heading. Digits are all as wide as `0`, a heading is smaller. */
function track(column, rows) {
  if (column.track) return column.track;
  if (column.kind !== 'number') return STEADY[column.head ? 'head' : column.key] || STEADY.other;
  const of = column.sort || ((row) => row[column.key]), most = rows.reduce((m, row) => Math.max(m, Math.abs(of(row)) || 0), 0);
  return `calc(20px + ${Math.max(column.label.length * 0.75, text.number(most).length) + 0.5}ch)`;
}

/* Makes a table a long one: {all, less, few}, its columns on large, on middle and on small screens. */
function tracks(columns, rows) {
  const of = (fits) => columns.filter(fits).map((c) => track(c, rows)).join(' ');
  return {all: of(() => true), less: of((c) => !c.wider), few: of((c) => !c.wider && !c.wide)};
}

/* An empty row, to be copied. The roles are those of the elements, which lose them where they are not laid out as a table. */
function emptyRow(columns) {
  return el('tr', {role: 'row'}, columns.map((c) => {
    const classes = [c.kind, c.wide && 'wide', c.wider && 'wider', c.key === 'bar' && 'bars', c.head && 'head-cell'].filter(Boolean).join(' ') || null;
    return el(c.head ? 'th' : 'td', {class: classes, scope: c.head ? 'row' : null, role: c.head ? 'rowheader' : 'cell'});
  }));
}

/* A table. Columns: {key, label, kind: 'number', cell(row), csv(row), sort(row), wide: not on small screens, wider: only on large ones, head: it names the row,
 * still: not sorted by, track: its width in a long table}. `attributes(row)` are of the row; `groups` is [[title, rows]] instead of `rows`.
 *
 * With `steady`, a table of many rows is a long one: its columns do not follow what is in them, so that rows far from the window are in the document and can be
 * found there, yet are not laid out before they come near. */
export function table({caption, columns, rows = [], groups, sort, onsort, attributes = () => null, seen, id, steady}) {
  const shell = emptyRow(columns), all = groups ? groups.flatMap((g) => g[1]) : rows, long = steady && all.length > LONG;
  const line = (row) => {
    const node = fill(shell.cloneNode(true), attributes(row));
    let cell = node.firstChild;
    for (const c of columns) {
      fill(cell, null, cellOf(c, row));
      cell = cell.nextSibling;
    }
    return node;
  };
  const bodies = groups ? groups.map(([title, of]) => el('tbody', {role: 'rowgroup'}, el('tr', {class: 'group', role: 'row'}, el('th', {role: 'rowheader', colspan: String(columns.length), scope: 'rowgroup'}, el('bdi', {dir: 'auto', text: title}), el('span', {class: 'group-count', text: text.number(of.length)}))), of.map(line)))
    : [el('tbody', {role: 'rowgroup'}, rows.map(line))];
  return el('div', {class: 'table-room'}, el('table', {id, role: 'table', class: long && 'long', vars: long && tracks(columns, all)},
    el('caption', {class: seen ? null : 'unseen', text: caption}), el('thead', {role: 'rowgroup'}, el('tr', {role: 'row'}, columns.map((c) => heading(c, sort, onsort)))), bodies));
}

/* The same numbers as a drawing, for readers: closed at first. */
export function twin(node, words = 'As a table') {
  return el('details', {class: 'twin'}, el('summary', {text: words}), node);
}

/* --- CSV of what is shown */

/* A cell. A spreadsheet takes what begins like a formula for one: such a text gets an apostrophe. */
function csvCell(v) {
  if (v === null || v === undefined) return '';
  if (typeof v === 'number') return String(v);
  const t = /^[=+\-@\t\r]/.test(v) ? "'" + v : String(v);
  return /[",\n\r]/.test(t) ? '"' + t.replaceAll('"', '""') + '"' : t;
}

export function csv(columns, rows) {
  const used = columns.filter((c) => c.csv !== false);
  const of = (c, row) => (c.csv ? c.csv(row) : row[c.key]);
  return [used.map((c) => csvCell(c.label)), ...rows.map((row) => used.map((c) => csvCell(of(c, row))))].map((r) => r.join(',')).join('\r\n') + '\r\n';
}

/* A button that saves `text()` as a file. */
export function saveCsv(file, make) {
  return el('button', {type: 'button', class: 'quiet', 'data-csv': file, title: 'Save what is shown as CSV', onclick: () => {
    const url = URL.createObjectURL(new Blob(['\ufeff' + make()], {type: 'text/csv'}));
    el('a', {href: url, download: file + '.csv'}).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    speak('Saved as ' + file + '.csv');
  }}, 'CSV');
}

/* --- the range of days */

export const RANGES = [7, 30, 90];

/* The days that the address asks for, and whether the period before is wanted: {days, compare, ask: how many days to ask for}. */
export function range(view) {
  const days = RANGES.includes(Number(view.query.get('days'))) ? Number(view.query.get('days')) : 30;
  const compare = view.query.get('compare') === '1' && days * 2 <= 90;
  return {days, compare, ask: Math.max(30, compare ? days * 2 : days)};
}

/* The last days of a list, and those before: [now, before]. */
export function split(list, days) {
  return [list.slice(-days), list.slice(-2 * days, -days)];
}

/* The first day of these that has a number, as {at, value}. Today is none: nothing moved since. */
export function firstOf(values) {
  const at = values.findIndex((v) => v !== null);
  return at < 0 || at === values.length - 1 ? null : {at, value: values[at]};
}

/* What chooses the range. `change` draws the view again; the address has been changed by then. */
export function rangePicker(view, change) {
  const {days, compare} = range(view);
  const button = (n) => el('button', {type: 'button', 'aria-pressed': String(n === days), onclick: () => { view.keep({days: n === 30 ? null : n}); change(); }, text: n + ' days'});
  const tooLong = days * 2 > 90;
  return el('div', {class: 'range', role: 'group', 'aria-label': 'Range of days'}, el('div', {class: 'segmented'}, RANGES.map(button)),
    el('label', {class: 'check', title: tooLong ? 'Numbers are kept for 90 days: there is no period before this one' : null},
      el('input', {type: 'checkbox', checked: compare, disabled: tooLong, onchange: (e) => { view.keep({compare: e.target.checked ? 1 : null}); change(); }}), 'compare'));
}

/* --- choosing */

/* A menu of values with a label, where '' is all. */
export function choose(label, values, now, change) {
  return el('label', {class: 'choose'}, el('span', {text: label}), el('select', {onchange: (e) => change(e.target.value)},
    [['', 'all'], ...values.map((v) => (Array.isArray(v) ? v : [v, v]))].map(([v, words]) => el('option', {value: v, selected: v === (now || ''), text: words}))));
}

export const link = (href, ...inside) => el('a', {href}, inside);
export const segmentLink = (id, words) => el('a', {href: '#/segments/' + encodeURIComponent(id)}, name(words || id));

/* A reason's name in the metrics, readable, with what it means below. */
export function reasonName(reason, help) {
  return el('span', null, reason.replaceAll('_', ' '), help && el('span', {class: 'under', text: help}));
}
