/* The curve of a lookalike: how many of the seed's kind are found at which reach, activity alone beside it, and a reach that is dragged.
 *
 *     const c = curve({points, reach: 0.1, was: 0.05, moved: (reach) => {}});
 *     c.node; c.to(0.2); at(points, 0.1, 'recall')
 *
 * The slider below is the same for the keyboard and for readers. Points are measured; between them lie straight lines. */
import {el, svg, text} from '../dom.js';

const W = 640, H = 300, LEFT = 74, RIGHT = 28, TOP = 12, BOTTOM = 40;
export const LEAST = 0.005;

/* A value of the curve at a reach; 0 at 0. */
export function at(points, reach, key) {
  let x = 0, y = 0;
  for (const p of points) {
    if (reach <= p.reach) return y + ((p[key] - y) * (reach - x)) / (p.reach - x || 1);
    [x, y] = [p.reach, p[key]];
  }
  return y;
}

/* What a reach means: {recall, lift, precision, activity, low, high}. */
export function meaning(points, reach) {
  const of = (key) => at(points, reach, key), recall = of('recall'), first = points[0];
  return {recall, lift: reach ? recall / reach : 0, precision: reach < first.reach ? first.precision : of('precision'), activity: of('activity_recall'), low: of('low'), high: of('high')};
}

export function curve({points, reach, was, moved}) {
  const most = points.at(-1).reach, x = (r) => LEFT + (r / most) * (W - LEFT - RIGHT), y = (v) => TOP + (1 - v) * (H - TOP - BOTTOM);
  const line = (key) => 'M' + x(0) + ' ' + y(0) + points.map((p) => `L${x(p.reach).toFixed(1)} ${y(p[key]).toFixed(1)}`).join('');
  const between = 'M' + x(0) + ' ' + y(0) + points.map((p) => `L${x(p.reach)} ${y(p.high)}`).join('') + [...points].reverse().map((p) => `L${x(p.reach)} ${y(p.low)}`).join('') + 'Z';
  const rows = [0, 0.25, 0.5, 0.75, 1], ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map((t) => t * most);
  const bar = svg('line', {class: 'at', y1: TOP, y2: H - BOTTOM}), knob = svg('circle', {class: 'knob', r: 8});
  const short = (v) => text.percent(v).replace(/[.,]0(?=\s?%)/, '');
  const drawing = svg('svg', {class: 'curve', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': 'Share of the seed’s kind that is found, by reach; the table below has the numbers'},
    rows.map((v) => [svg('line', {class: 'grid', x1: LEFT, x2: W - RIGHT, y1: y(v), y2: y(v)}), svg('text', {x: LEFT - 8, y: y(v) + 4, 'text-anchor': 'end'}, short(v))]),
    ticks.map((t) => svg('text', {x: x(t), y: H - BOTTOM + 18, 'text-anchor': 'middle'}, short(t))), svg('text', {x: W - RIGHT, y: H - 4, 'text-anchor': 'end'}, 'reach, of the population'),
    svg('path', {class: 'between', d: between}), svg('path', {class: 'chance', d: `M${x(0)} ${y(0)}L${x(most)} ${y(most)}`}), svg('path', {class: 'activity', d: line('activity_recall')}), svg('path', {class: 'model', d: line('recall')}),
    was ? svg('line', {class: 'was', x1: x(was), x2: x(was), y1: TOP, y2: H - BOTTOM}) : '', bar, knob);

  const slider = el('input', {type: 'range', id: 'reach', min: String(LEAST), max: String(most), step: '0.005', 'aria-label': 'Reach, of the population', 'data-reach': ''});
  const to = (r, quiet) => {
    const now = Math.min(most, Math.max(LEAST, Math.round(r * 200) / 200)), px = x(now);
    for (const [k, v] of [['x1', px], ['x2', px]]) bar.setAttribute(k, v);
    knob.setAttribute('cx', px);
    knob.setAttribute('cy', y(at(points, now, 'recall')));
    slider.value = String(now);
    slider.setAttribute('aria-valuetext', text.percent(now));
    if (!quiet) moved(now);
  };
  const dragged = (e) => {
    const box = drawing.getBoundingClientRect();
    to((((e.clientX - box.left) / box.width) * W - LEFT) / (W - LEFT - RIGHT) * most);
  };
  drawing.addEventListener('pointerdown', (e) => { drawing.setPointerCapture(e.pointerId); dragged(e); });
  drawing.addEventListener('pointermove', (e) => { if (drawing.hasPointerCapture(e.pointerId)) dragged(e); });
  slider.addEventListener('input', () => to(Number(slider.value)));
  to(reach, true);
  const key = (label, name) => el('span', null, el('i', {class: 'line', vars: {of: `var(--${name})`}}), label);
  return {to, node: el('figure', {class: 'chart'}, el('p', {class: 'legend', 'aria-hidden': 'true'}, key('the model', 'data'), key('activity alone', 'data-2'), key('chance', 'before')), drawing, el('div', {class: 'reach'}, el('label', {for: 'reach', class: 'fine', text: 'Reach'}), slider))};
}
