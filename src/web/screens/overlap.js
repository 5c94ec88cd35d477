/* Two or three segments beside each other: how many visitors they share. Each pair is a question, and questions are counted (docs/PRIVACY.md).
 *
 *     #/overlap?ids=coat-fans,customers */
import {get, post} from '../api.js';
import {el, name, svg, text} from '../dom.js';
import {count, csv, empty, saveCsv, segmentLink, table, value} from '../parts.js';

export const title = 'Overlap';

function pairs(ids) {
  return ids.flatMap((a, i) => ids.slice(i + 1).map((b) => [a, b]));
}

/* How far apart two circles stand so that they share so much: by halving, 40 steps. */
function distance(r1, r2, shared) {
  const lens = (d) => {
    if (d >= r1 + r2) return 0;
    if (d <= Math.abs(r1 - r2)) return Math.PI * Math.min(r1, r2) ** 2;
    const part = (r, s) => r * r * Math.acos((d * d + r * r - s * s) / (2 * d * r));
    return part(r1, r2) + part(r2, r1) - Math.sqrt((-d + r1 + r2) * (d + r1 - r2) * (d - r1 + r2) * (d + r1 + r2)) / 2;
  };
  let near = Math.abs(r1 - r2), far = r1 + r2;
  for (let n = 0; n < 40; n++) lens((near + far) / 2) > shared ? (near = (near + far) / 2) : (far = (near + far) / 2);
  return (near + far) / 2;
}

/* Two circles whose areas, and what they share, are as the numbers. */
function venn(p) {
  if (!p.a.size || !p.b.size || p.both === null) return null;
  const scale = 90 / Math.sqrt(Math.max(p.a.size, p.b.size) / Math.PI), r1 = Math.max(4, scale * Math.sqrt(p.a.size / Math.PI)), r2 = Math.max(4, scale * Math.sqrt(p.b.size / Math.PI));
  const d = distance(r1, r2, p.both * scale * scale), width = Math.max(r1 + d + r2, 2 * r1, 2 * r2), x = (430 - width) / 2 + Math.max(r1, r2 - d);
  return svg('svg', {class: 'venn', viewBox: '0 0 430 200', role: 'img', 'aria-label': text.number(p.both) + ' visitors are in both'},
    svg('circle', {class: 'a', cx: x, cy: 100, r: r1}), svg('circle', {class: 'b', cx: x + d, cy: 100, r: r2}));
}

function drawPair(p, names) {
  const rows = [['a', p.a], ['b', p.b]].map(([of, s]) => ({of, id: s.id, name: names.get(s.id) || s.id, size: s.size, part: of === 'a' ? p.of_a : p.of_b}));
  const columns = [{key: 'key', label: 'Colour', quiet: true, csv: false, cell: (r) => el('i', {class: 'dot ' + r.of, 'aria-hidden': 'true'})}, {key: 'name', label: 'Segment', head: true, cell: (r) => segmentLink(r.id, r.name)},
    {key: 'size', label: 'Members', kind: 'number', cell: (r) => count(r.size)}, {key: 'part', label: 'Also in the other', kind: 'number', cell: (r) => value(r.part, text.percent)}];
  return [venn(p) || empty('Too small to draw', 'One of the numbers is withheld.'), el('p', {class: 'both'}, 'In both: ', el('strong', null, count(p.both))), table({caption: 'Members that two segments share', columns, rows}), el('div', {class: 'tools end'}, saveCsv('overlap', () => csv(columns, rows)))];
}

export function show(view) {
  const ids = [...new Set((view.query.get('ids') || '').split(',').filter(Boolean))].slice(0, 3);
  const left = el('p', {class: 'fine', role: 'status'});
  view.head('Overlap', {about: 'Visitors that segments share. Each pair costs one of the questions of the day.', tools: [el('a', {class: 'button', href: '#/segments'}, 'Choose others')]});
  if (ids.length < 2) {
    view.root.append(el('div', {class: 'card card-table'}, empty('Nothing to compare', 'Tick two or three segments in the list.', el('a', {class: 'button', href: '#/segments'}, 'To the list'))));
    return;
  }
  view.root.append(left);
  const room = view.root.appendChild(el('div', {class: 'two'})), names = get('/v1/segments', {signal: view.signal}).then((list) => new Map(list.map((s) => [s.id, s.name])));
  names.catch(() => {});
  // one after the other: each is counted
  let before = Promise.resolve();
  for (const [a, b] of pairs(ids)) {
    view.panel({into: room, title: 'Shared', load: (o) => (before = before.catch(() => {}).then(() => post('/v1/ask/overlap', a + ' ' + b, o))), draw: async (p, node) => {
      const of = await names.catch(() => new Map());
      node.querySelector('h2').replaceChildren(name(of.get(a) || a), ' and ', name(of.get(b) || b));
      if (Number.isFinite(p.left)) left.textContent = 'Questions left today: ' + text.number(p.left);
      return drawPair(p, of);
    }});
  }
}
