/* One category: its events by day, and the segments that use it.
 *
 *     #/categories/ID?days=30&compare=1 */
import {get, maybe, Trouble} from '../api.js';
import {timeChart} from '../chart.js';
import {el, name, text} from '../dom.js';
import {completeness, count, delta, empty, range, rangePicker, split, tellBelow, tile, tiles, value} from '../parts.js';
import {mean} from './categories.js';

export const title = 'Category';

function draw(view, c, report, again) {
  const {days, compare} = range(view), {events = [], visitors = []} = report?.categories?.find((x) => x.id === c.id) || {}, list = split(report?.days || [], days)[0], [now, before] = split(events, days);
  view.root.querySelector('.head .range').replaceWith(rangePicker(view, again));
  const average = mean(now), averageBefore = mean(before);
  return el('div', {class: 'stack'},
    tiles(tile({label: 'Visitors', mark: 'visitors', node: count(c.visitors, {k: c.below, complete: c.complete})}), tile({label: 'Of all visitors', mark: 'share', node: value(c.share, text.percent)}),
      tile({label: 'Events a day', mark: 'events', node: [value(average), before.length === now.length && compare && delta(average, averageBefore)], note: 'mean of ' + days + ' days'})),
    el('section', {class: 'panel card', 'aria-label': 'Events by day'}, el('div', {class: 'panel-head'}, el('h2', {text: 'Events by day'})),
      list.length && now.length ? timeChart({title: 'Events', days: list, series: [{label: 'events', values: now, kind: 'bar', ...(compare && before.length === now.length ? {before} : null)}, {label: 'visitors', values: split(visitors, days)[0], tableOnly: true}], view, file: c.id + '-days'})
        : empty('No days yet', 'Events by day come with the first report of the day.')));
}

export async function show(view) {
  const id = view.parts[1], list = await get('/v1/categories', {signal: view.signal}), c = list.find((x) => x.id === id);
  if (!c) throw new Trouble('missing', 'There is no category of that id.');
  tellBelow(c);
  view.title(c.name || id);
  const again = () => panel.again();
  view.head(name(c.name || id), {about: [el('span', {class: 'id', text: c.id}), ' ', completeness(c) || ''], tools: [rangePicker(view, again), view.may('marketer') && el('a', {class: 'button primary', 'data-edit': '', href: '#/edit/category/' + encodeURIComponent(id)}, 'Edit'), el('a', {class: 'button', href: '#/categories'}, 'All categories')]});
  const panel = view.panel({wide: true, title: 'Events', load: (o) => maybe(get('/v1/report/categories', {...o, parameters: {id, days: range(view).ask}})), draw: (report) => draw(view, c, report, again)});
}
