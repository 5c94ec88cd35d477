/* Charts over days, drawn by Chart.js (loaded when the first chart is), each with its table.
 *
 *     timeChart({title: 'Size', days, series: [{label: 'members', values, kind: 'line'}], view})
 *
 * A series: {label, values (null: withheld or not recorded, a gap), kind: 'line' | 'bar', colour: 'data-2', below: drawn downwards, before: values of the
 * period before, drawn pale; tableOnly: not drawn}. `marks` is [{day, words}]: a dashed line where rules changed. Days are rows of the table with data-day. */
import {el, text} from './dom.js';
import {saveCsv, csv, table, twin, value} from './parts.js';

let library = null;
const loaded = () => (library ||= import('./lib/chart.js').then(() => globalThis.Chart));

/* What a colour of base.css is in the theme of now. */
function paint(names) {
  const probe = el('span', {hidden: true});
  document.body.append(probe);
  const found = Object.fromEntries(names.map((n) => { probe.style.color = `var(--${n})`; return [n, getComputedStyle(probe).color]; }));
  probe.remove();
  return found;
}

const AXIS = 48; // pixels that numbers beside a chart have at least, so that charts below each other share their days
const COLOURS = ['data', 'data-2', 'data-3', 'data-4', 'data-5', 'before', 'line', 'soft', 'card', 'ink'];

function dataset(s, i, colours) {
  const colour = colours[s.colour || 'data'];
  const values = s.below ? s.values.map((v) => (v === null ? null : -v)) : s.values;
  return s.kind === 'bar'
    ? {type: 'bar', label: s.label, data: values, backgroundColor: colour, borderRadius: 2, barPercentage: 0.9, categoryPercentage: 0.8, stack: s.stack || 'all', order: i}
    : {type: 'line', label: s.label, data: values, borderColor: colour, backgroundColor: colour, borderWidth: 2, pointRadius: s.values.length < 10 ? 3 : 0, pointHoverRadius: 4, pointHitRadius: 12, tension: 0.25, spanGaps: false, stack: 'line ' + i, order: i};
}

function datasets(series, colours) {
  const before = series.filter((s) => s.before).map((s, i) => ({...dataset({...s, values: s.before, label: s.label + ', period before', kind: 'line', colour: 'before'}, 50 + i, colours), borderDash: [4, 4], pointRadius: 0}));
  return [...series.map((s, i) => dataset(s, i, colours)), ...before];
}

/* A vertical line where rules changed, with its words beside it. */
function marker(marks, days, colours) {
  return {id: 'marks', afterDatasetsDraw(chart) {
    const {ctx, chartArea: area, scales: {x}} = chart;
    for (const m of marks) {
      const at = days.indexOf(m.day);
      if (at < 0) continue;
      const px = Math.round(x.getPixelForValue(at)) + 0.5;
      Object.assign(ctx, {strokeStyle: colours.soft, lineWidth: 1, fillStyle: colours.soft, font: '11px system-ui, sans-serif', textAlign: px > area.right - 60 ? 'end' : 'start'});
      ctx.setLineDash([3, 3]);
      ctx.beginPath();
      ctx.moveTo(px, area.top);
      ctx.lineTo(px, area.bottom);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillText('rules', px + (px > area.right - 60 ? -4 : 4), area.top + 10);
    }
  }};
}

function options(o, colours) {
  const write = o.write || text.number, brief = o.write || text.short;
  return {
    animation: false, responsive: true, maintainAspectRatio: false, interaction: {mode: 'index', intersect: false},
    layout: {padding: {top: 6}},
    plugins: {legend: {display: false}, tooltip: {
      backgroundColor: colours.ink, titleColor: colours.card, bodyColor: colours.card, padding: 10, boxPadding: 4, usePointStyle: true, caretSize: 0, cornerRadius: 8,
      callbacks: {
        title: (at) => [text.dayLong(o.days[at[0].dataIndex]), ...o.marks.filter((m) => m.day === o.days[at[0].dataIndex]).map((m) => m.words)],
        label: (at) => ` ${at.dataset.label}: ${at.raw === null ? 'withheld' : write(Math.abs(at.raw))}`,
      }}},
    scales: {
      x: {stacked: true, offset: true, grid: {display: false}, border: {color: colours.line}, ticks: {color: colours.soft, maxRotation: 0, autoSkipPadding: 24, callback: (v) => text.day(o.days[v])}},
      y: {stacked: true, afterFit: (axis) => { axis.width = Math.max(axis.width, AXIS); }, beginAtZero: o.fromZero, grace: o.fromZero ? '5%' : 0, grid: {color: colours.line, drawBorder: false}, border: {display: false}, ticks: {color: colours.soft, maxTicksLimit: o.low ? 4 : 6, precision: 0, callback: (v) => brief(Math.abs(v))}},
    },
  };
}

function columnsOf(series, write) {
  return [{key: 'day', label: 'Day', head: true, cell: (r) => el('time', {datetime: r.day, text: text.dayLong(r.day)})},
    ...series.flatMap((s, i) => [{key: 'v' + i, label: s.label, kind: 'number', cell: (r) => value(r['v' + i], write)},
      ...(s.before ? [{key: 'b' + i, label: s.label + ', period before', kind: 'number', cell: (r) => value(r['b' + i], write)}] : [])])];
}

/* The legend, where more than one thing is drawn. */
function legend(series) {
  const all = [...series.map((s) => [s.label, s.colour || 'data', s.kind]), ...(series.some((s) => s.before) ? [['period before', 'before', 'line']] : [])];
  return all.length > 1 && el('p', {class: 'legend', 'aria-hidden': 'true'}, all.map(([label, colour, kind]) => el('span', null, el('i', {class: kind === 'bar' ? '' : 'line', vars: {of: `var(--${colour})`}}), label)));
}

async function draw(canvas, o) {
  const Chart = await loaded();
  if (o.view.ended) return;
  let chart = null;
  const make = () => {
    const colours = paint(COLOURS);
    chart?.destroy();
    chart = new Chart(canvas, {data: {labels: o.days.map((_, i) => i), datasets: datasets(o.series, colours)}, options: options(o, colours), plugins: [marker(o.marks, o.days, colours)]});
  };
  make();
  document.addEventListener('theme', make, {signal: o.view.signal});
  o.view.signal.addEventListener('abort', () => chart.destroy());
}

export function timeChart({title, days, series, view, marks = [], low = false, write, fromZero = true, file, withoutTable = false}) {
  const drawn = series.filter((s) => !s.tableOnly), o = {days, series: drawn, view, marks, low, write, fromZero};
  const rows = days.map((day, n) => Object.assign({day}, ...series.map((s, i) => ({['v' + i]: s.values[n], ['b' + i]: s.before ? s.before[n] ?? null : undefined}))));
  const columns = columnsOf(series, write), canvas = el('canvas', {role: 'img', 'aria-label': title + ', by day; the table below has the numbers'});
  const node = el('figure', {class: 'chart'}, legend(drawn), el('div', {class: low ? 'chart-room low' : 'chart-room'}, canvas),
    !withoutTable && twin(el('div', null, el('div', {class: 'tools'}, saveCsv(file || title, () => csv(columns, rows))), table({caption: title, columns, rows, attributes: (r) => ({'data-day': r.day})}))));
  view.wait(draw(canvas, o));
  return node;
}
