/* Journeys: from one category to the next, in days. Which ones are looked at the rules say (`journeys:`); they are counted once a day.
 *
 *     #/journeys?id=to-buy */
import {get, maybe} from '../api.js';
import {el, name, text} from '../dom.js';
import {count, csv, empty, meter, saveCsv, table, value} from '../parts.js';

export const title = 'Journeys';

const daysOf = (d) => (d === null || d === undefined ? value(null) : d === 0 ? 'same day' : el('span', {class: 'number', text: text.real(d) + (d === 1 ? ' day' : ' days')}));

/* From there, on to there, on to there. */
function way(from, steps, names) {
  if (steps[0] === from) steps = steps.slice(1);
  const of = (id) => name(names.get(id) || id);
  return el('span', {class: 'way'}, of(from), steps.map((s) => [el('span', {class: 'to', 'aria-label': 'then', role: 'img', text: '→'}), of(s)]));
}

function draw(j, names) {
  const columns = [
    {key: 'way', label: 'Way', head: true, csv: (p) => (p.steps[0] === j.from ? p.steps : [j.from, ...p.steps]).join(' > '), cell: (p) => way(j.from, p.steps, names)},
    {key: 'visitors', label: 'Visitors', kind: 'number', wide: true, cell: (p) => count(p.visitors)},
    {key: 'share', label: 'Of those', kind: 'number', cell: (p) => value(p.share, text.percent)},
    {key: 'bar', label: 'How much', quiet: true, csv: false, cell: (p) => meter(p.share)},
    {key: 'median_days', label: 'Until then', kind: 'number', wide: true, cell: (p) => daysOf(p.median_days)},
  ];
  // those who went no further than the beginning: what is left of the first steps, where all of them are told
  const first = j.paths.filter((p) => p.steps.length === 1), told = first.every((p) => p.share !== null), on = told ? first.reduce((n, p) => n + p.share, 0) : null;
  return el('section', {class: 'panel card', 'aria-label': j.name, 'data-journey': j.id},
    el('div', {class: 'panel-head'}, el('h2', null, name(j.name || j.id)), el('div', {class: 'tools'}, saveCsv('journey-' + j.id, () => csv(columns, j.paths)))),
    el('p', {class: 'about'}, count(j.visitors), ' visitors began with ', name(names.get(j.from) || j.from), ', followed for ', text.number(j.within_days), ' days.', on !== null && on <= 1 ? ' ' + text.percent(1 - on) + ' went no further.' : ''),
    j.paths.length ? table({caption: 'Ways from ' + (names.get(j.from) || j.from), columns, rows: j.paths}) : empty('Nobody went on', 'No group of visitors that is large enough took a next step.'));
}

function none(report) {
  return el('div', {class: 'card card-table'}, report.made || report.journeys.length ? empty('No journey is defined', 'Say in the rules from which category on visitors are followed, and for how long:') : empty('Not counted yet', 'Journeys come with the report of the day. Say in the rules which:'),
    el('pre', {class: 'snippet', text: 'journeys:\n  - {id: to-buy, name: From coats to a purchase, from: apparel.coats, steps: [cart, purchase], within: 14d}\n'}));
}

export function show(view) {
  view.head('Journeys', {about: 'Where visitors go next, and where they stop.'});
  view.panel({wide: true, title: 'Journeys', load: (o) => Promise.all([get('/v1/report/journeys', {...o, parameters: {id: view.query.get('id')}}), maybe(get('/v1/categories', o), [])]),
    draw: ([report, categories]) => {
      const names = new Map(categories.map((c) => [c.id, c.name]));
      return report.journeys.length ? el('div', {class: 'stack'}, report.journeys.map((j) => draw(j, names))) : none(report);
    }});
}
