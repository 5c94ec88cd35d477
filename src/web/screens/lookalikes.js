/* All lookalikes: whom they resemble, how good they are; and a new one.
 *
 *     #/lookalikes      #/lookalikes?seed=customers */
import {get} from '../api.js';
import {el, name, text} from '../dom.js';
import {badge, completeness, count, csv, empty, saveCsv, segmentLink, sorted, table, tellBelow, value} from '../parts.js';
import {field, idFrom} from '../edit/fields.js';
import {publisher} from '../edit/publish.js';

export const title = 'Lookalikes';

const columns = [
  {key: 'name', label: 'Lookalike', head: true, cell: (s) => [el('a', {href: '#/lookalikes/' + encodeURIComponent(s.id)}, name(s.name || s.id)), ' ', completeness(s), el('span', {class: 'under'}, 'like ', segmentLink(s.lookalike.seed))]},
  {key: 'size', label: 'Members', kind: 'number', cell: (s) => (s.lookalike.trained ? count(s.size, {k: s.below, complete: s.complete}) : value(null))},
  {key: 'reach', label: 'Reach', wide: true, sort: (s) => s.lookalike.reach, csv: (s) => s.lookalike.reach, cell: (s) => s.lookalike.reach},
  {key: 'auc', label: 'Area', kind: 'number', sort: (s) => s.lookalike.auc, csv: (s) => s.lookalike.auc, cell: (s) => value(s.lookalike.auc ?? null, text.real)},
  {key: 'activity_auc', label: 'Activity alone', kind: 'number', wide: true, sort: (s) => s.lookalike.activity_auc, csv: (s) => s.lookalike.activity_auc, cell: (s) => value(s.lookalike.activity_auc ?? null, text.real)},
  {key: 'lift_at_10', label: 'Lift at 10 %', kind: 'number', wide: true, sort: (s) => s.lookalike.lift_at_10, csv: (s) => s.lookalike.lift_at_10, cell: (s) => value(s.lookalike.lift_at_10 ?? null, text.real)},
  {key: 'trained', label: 'Trained', sort: (s) => s.lookalike.trained, csv: (s) => s.lookalike.trained, cell: (s) => (s.lookalike.over ? badge('over: train it', 'bad') : s.lookalike.trained ? text.day(s.lookalike.trained) : badge('not yet', 'warn'))},
];

/* A new one: whom to resemble, and how far. */
function fresh(view, segments) {
  const seeds = segments.filter((s) => s.kind !== 'lookalike'), wanted = view.query.get('seed') || '', taken = new Set(segments.map((s) => s.id));
  const seed = el('select', {name: 'seed'}, el('option', {value: '', text: 'choose'}), seeds.map((s) => el('option', {value: s.id, selected: s.id === wanted, text: `${s.name || s.id} · ${s.size === null ? 'few' : text.number(s.size)}`})));
  const title = el('input', {type: 'text', name: 'name', dir: 'auto', autocomplete: 'off'}), id = el('input', {type: 'text', name: 'id', spellcheck: 'false', autocomplete: 'off'}), reach = el('select', {name: 'reach'}, ['1%', '2%', '5%', '10%', '20%'].map((r) => el('option', {value: r, text: r + ' of the population', selected: r === '5%'})));
  const suggest = () => {
    const s = seeds.find((x) => x.id === seed.value);
    if (!s) return;
    title.value = 'Like ' + (s.name || s.id);
    id.value = idFrom('like-' + s.id);
  };
  title.addEventListener('input', () => { id.value = idFrom(title.value); });
  seed.addEventListener('change', () => { view.keep({seed: seed.value}); suggest(); });
  suggest();
  const way = publisher(view, {
    edit: () => {
      if (!seed.value) return 'Choose the segment that it is to resemble.';
      if (!id.value.trim()) return 'It needs a name, or at least an id.';
      if (taken.has(id.value.trim())) return 'There is a segment of that id already.';
      return {kind: 'lookalike', id: id.value.trim(), set: {...(title.value.trim() ? {name: title.value.trim()} : null), seed: seed.value, reach: reach.value}};
    },
    done: (_, what) => el('p', null, el('a', {class: 'button primary', 'data-train-it': '', href: '#/lookalikes/' + encodeURIComponent(what.id) + '?train=1'}, 'Train it now'), ' Nobody is in it before.'),
  });
  return el('details', {class: 'card card-table new-one', open: !!wanted, 'data-new-lookalike': ''}, el('summary', {text: 'New lookalike'}),
    el('p', {class: 'about', text: 'Visitors who behave like the members of a segment, and are not in it. A seed needs at least 100 members; from 1,000 on a model is good.'}),
    el('div', {class: 'fields', oninput: () => way.stale()}, field('Resembles', seed), field('Name', title), field('Id', id), field('Reaches', reach, 'It can be changed by dragging, once it is trained.')), way.node);
}

export function show(view) {
  let rows = [];
  view.head('Lookalikes', {about: 'Visitors who behave like the members of a segment, found by a model.', tools: [saveCsv('lookalikes', () => csv(columns, rows))]});
  view.panel({wide: true, title: 'Lookalikes', load: (o) => get('/v1/segments', o), draw: (all) => {
    const list = all.filter((s) => s.kind === 'lookalike' && s.lookalike), room = el('div', {class: 'card card-table'});
    all.forEach(tellBelow);
    const draw = () => {
      const sort = view.query.get('sort') || 'name';
      rows = sorted(list, columns, sort);
      room.replaceChildren(table({caption: 'Lookalikes', columns, rows, sort, onsort: (s) => { view.keep({sort: s}); draw(); room.querySelector('[aria-sort] button')?.focus(); }, attributes: (s) => ({'data-lookalike': s.id, 'data-size': s.size ?? ''})}));
    };
    if (list.length) draw();
    else room.append(empty('No lookalike is defined', 'A lookalike finds more people like those of a segment.'));
    return [room, view.may('marketer') && fresh(view, all)];
  }});
}
