/* One lookalike: its curve beside activity alone, what a reach would give, why it thinks so, how good it is; train it, and set the reach.
 *
 *     #/lookalikes/ID?reach=0.1      &train=1 begins to train */
import {get, maybe, post, Trouble} from '../api.js';
import {el, name, speak, text} from '../dom.js';
import {badge, completeness, count, csv, empty, meter, saveCsv, segmentLink, table, tellBelow, tile, tiles, twin, value} from '../parts.js';
import {curve, meaning} from '../edit/curve.js';
import {progress, publisher, untilServing} from '../edit/publish.js';

export const title = 'Lookalike';

/* --- how good it is, in words */

function quality(auc, activity) {
  const gain = auc - activity, of10 = Math.round(auc * 100);
  const good = auc >= 0.8 ? ['good', 'tells them well'] : auc >= 0.7 ? ['useful', 'tells them'] : auc >= 0.6 ? ['weak', 'tells them a little'] : ['poor', 'hardly tells them'];
  const words = `Of a member of the seed's kind and somebody else, the model ranks the right one first ${of10} times of 100: it ${good[1]}. `;
  const beside = gain < 0.02 ? 'It is hardly better than picking the busiest visitors: it may only find who is here often.' : `Picking the busiest visitors would manage ${Math.round(activity * 100)}.`;
  return {badge: badge(good[0], auc >= 0.7 ? 'good' : 'warn'), words: words + beside};
}

function judged(c) {
  const q = quality(c.auc, c.activity_auc);
  return [el('p', {'data-quality': ''}, q.badge, ' ', q.words), (c.warnings || []).map((w) => el('p', {class: 'note', dir: 'auto', text: w}))];
}

/* --- reasons */

function reasons(c) {
  const rows = (c.features || []).slice(0, 25), most = Math.max(...rows.map((f) => Math.abs(f.w)), 1), share = (v) => (v === null || v === undefined ? el('span', {class: 'withheld', text: 'few'}) : value(v, text.percent));
  if (!rows.length) return empty('No reasons', 'This server does not tell them.');
  const columns = [{key: 'words', label: 'What they did', head: true, cell: (f) => [badge(f.w > 0 ? 'for' : 'against', f.w > 0 ? 'good' : 'bad'), ' ', name(f.words || f.f)]}, {key: 'w', label: 'Weight', kind: 'number', wider: true, csv: (f) => f.w / 1e6, cell: (f) => value(f.w / 1e6, text.real)},
    {key: 'bar', label: 'How much', quiet: true, csv: false, wide: true, cell: (f) => meter(Math.abs(f.w) / most, f.w > 0 ? '' : 'still')}, {key: 'seed', label: 'Of the seed', kind: 'number', cell: (f) => share(f.seed)}, {key: 'others', label: 'Of others', kind: 'number', cell: (f) => share(f.others)}];
  return [table({caption: 'What speaks for and against', columns, rows, attributes: (f) => ({'data-reason': f.f, 'data-weight': String(f.w)})}), el('div', {class: 'tools end'}, saveCsv(c.id + '-reasons', () => csv(columns, c.features)))];
}

/* --- the reach */

/* How many there are to choose from: the training tells it; else the members by their share do, and that is about right. */
function populationOf(s, reach, trained) {
  if (trained?.population) return trained.population;
  return reach && s.size ? s.size / reach : null;
}

const asShare = (words) => { const m = /([\d.]+)\s*%/.exec(words || ''); return m ? Number(m[1]) / 100 : null; };
const written = (reach) => `${Math.round(reach * 1000) / 10}%`;

function drag(view, s, c, trained) {
  const set = asShare(s.lookalike.reach), population = populationOf(s, set, trained), start = Number(view.query.get('reach')) || set || 0.1, points = c.curve;
  const room = el('div'), draw = (reach) => {
    const m = meaning(points, reach);
    room.replaceChildren(el('div', {'data-at': String(reach)}, tiles(tile({label: 'Reach', mark: 'reach', node: el('span', {text: text.percent(reach)})}), tile({label: 'Members, about', mark: 'members', node: population ? el('span', {class: 'number', text: text.number(Math.round((population * reach) / 10) * 10)}) : value(null)}),
      tile({label: 'Of the seed’s kind', mark: 'precision', node: el('span', {text: text.percent(m.precision)}), note: 'precision'}), tile({label: 'Times likelier', mark: 'lift', node: el('span', {text: text.real(m.lift)}), note: 'lift'}),
      tile({label: 'Found of them', mark: 'recall', node: el('span', {text: text.percent(m.recall)}), note: `${text.percent(m.low)} to ${text.percent(m.high)}; activity: ${text.percent(m.activity)}`}))));
  };
  let now = start;
  const way = view.may('marketer') && publisher(view, {button: 'Set this reach', why: () => `reach ${written(now)}`, edit: () => ({kind: 'lookalike', id: s.id, set: {reach: written(now), size: null, min_lift: null}}),
    done: () => el('p', null, el('a', {class: 'button primary', href: '#/lookalikes/' + encodeURIComponent(s.id) + '?train=1'}, 'Train it now'), ' The members follow with the next training.')});
  const drawn = curve({points, reach: start, was: set, moved: (r) => { now = r; view.keep({reach: r === set ? null : r}); draw(r); way && way.stale(); }});
  draw(start);
  const columns = [['reach', 'Reach', text.percent], ['recall', 'Found', text.percent], ['low', 'At least', text.percent], ['high', 'At most', text.percent], ['precision', 'Precision', text.percent], ['lift', 'Lift', text.real], ['activity_recall', 'Activity alone', text.percent]]
    .map(([key, label, write], i) => ({key, label, kind: 'number', head: i === 0, cell: (p) => value(p[key], write)}));
  return el('div', {class: 'stack', 'data-curve': ''}, el('section', {class: 'panel card', 'aria-label': 'Curve'}, el('div', {class: 'panel-head'}, el('h2', {text: 'Reach'}), el('div', {class: 'tools end'}, saveCsv(s.id + '-curve', () => csv(columns, points)))),
    el('p', {class: 'about', text: 'Drag the line, or move the slider. What is found was measured on members of the seed that the model had not seen.'}), drawn.node, room, twin(table({caption: 'The curve', columns, rows: points}))), way && way.node);
}

/* --- training */

function trainer(view, s, again) {
  const button = el('button', {type: 'button', class: s.lookalike.trained ? '' : 'primary', 'data-train': '', text: s.lookalike.trained ? 'Train anew' : 'Train it'}), room = el('div', {'data-training': ''});
  const go = async () => {
    const bar = progress('The model is learning; that may take a minute');
    button.disabled = true;
    room.replaceChildren(bar.node);
    room.dataset.training = 'running';
    try {
      const told = await post('/v1/lookalikes/train', s.id, {signal: view.signal});
      if (!told.serving) await untilServing(view, room, 'The model is made. Its members are being found');
      room.dataset.training = 'done';
      room.replaceChildren(el('p', {role: 'status'}, badge('trained', 'good'), ` on ${text.number(told.seed)} members of the seed, among ${text.number(told.population)} others.`));
      speak('Trained');
      await again(told);
    } catch (e) {
      if (e.name === 'AbortError') return;
      room.dataset.training = 'failed';
      room.replaceChildren(el('p', {class: 'note', role: 'alert', dir: 'auto', text: e.message}));
    }
    button.disabled = false;
  };
  button.addEventListener('click', go);
  return {button, room, go};
}

function numbers(s) {
  const l = s.lookalike;
  return tiles(tile({label: 'Members', mark: 'size', node: l.trained ? count(s.size, {k: s.below, complete: s.complete}) : value(null), note: l.trained ? null : 'nobody before it is trained'}), tile({label: 'Reach', mark: 'set', node: el('span', {class: 'small', text: l.reach || '–'})}),
    tile({label: 'Area under the curve', mark: 'auc', node: value(l.auc ?? null, text.real), note: 'activity alone: ' + (l.activity_auc === null || l.activity_auc === undefined ? '–' : text.real(l.activity_auc))}), tile({label: 'Lift at 10 %', mark: 'lift10', node: value(l.lift_at_10 ?? null, text.real)}),
    tile({label: 'Trained', mark: 'trained', node: el('span', {class: 'small', text: l.trained ? text.day(l.trained) : 'not yet'}), note: l.over ? badge('over: train it anew', 'bad') : l.refresh_days === 1 ? 'daily' : l.refresh_days ? `every ${l.refresh_days} days` : 'by hand'}));
}

async function load(view, id) {
  const all = await get('/v1/segments', {signal: view.signal}), s = all.find((x) => x.id === id && x.kind === 'lookalike');
  if (!s) throw new Trouble('missing', 'There is no lookalike of that id.');
  tellBelow(s);
  return s;
}

export async function show(view) {
  const id = view.parts[1], room = el('div', {class: 'stack'});
  let s = await load(view, id), trained = null;
  const draw = () => {
    room.replaceChildren(numbers(s), train.room);
    if (!s.lookalike.trained) {
      room.append(el('section', {class: 'panel card'}, empty('Not trained yet', 'Training reads what the members of the seed did and what the others did. Then the curve is here, and a reach can be chosen.')));
      return;
    }
    if (!view.may('marketer')) return;
    const got = maybe(get('/v1/lookalike/curve', {signal: view.signal, parameters: {id}})), panel = (o) => view.panel({into: room, load: () => got, ...o});
    panel({wide: true, title: 'Reach', draw: (c) => (c?.curve?.length ? drag(view, s, c, trained) : empty('No curve', 'This server does not tell it.'))});
    const two = room.appendChild(el('div', {class: 'two uneven'}));
    panel({into: two, title: 'How good it is', draw: (c) => (c ? judged(c) : empty('Not known', 'This server does not tell it.'))});
    panel({into: two, title: 'Reasons', about: 'What speaks for being of the seed’s kind, and against.', draw: (c) => (c ? reasons(c) : empty('Not known', 'This server does not tell it.'))});
  };
  const train = trainer(view, s, async (told) => {
    trained = told;
    s = await load(view, id);
    draw();
  });
  view.title(s.name || id);
  view.head(name(s.name || id), {badges: s.state !== 'active' ? badge(s.state, 'warn') : null, about: [el('span', {class: 'id', text: id}), ' like ', segmentLink(s.lookalike.seed), ' ', completeness(s) || ''],
    tools: [view.may('marketer') && train.button, el('a', {class: 'button', href: '#/segments/' + encodeURIComponent(id)}, 'Its days'), el('a', {class: 'button', href: '#/lookalikes'}, 'All lookalikes')]});
  view.root.append(room);
  draw();
  if (view.query.get('train') && view.may('marketer')) {
    view.keep({train: null});
    train.go();
  }
}
