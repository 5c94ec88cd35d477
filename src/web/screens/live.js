/* The tag assistant: the hits of one tab, as they come. A page whose address ends in #crumb-debug shows a code after a click; it is typed here.
 *
 *     type the code ─► POST /v1/live/pair ─► GET /v1/live, which waits for the next hit, again and again ─► ended
 *
 * The code stands in no address and is kept nowhere: leaving the dashboard forgets it, another screen does not. */
import {get, post} from '../api.js';
import {el, name, speak, text} from '../dom.js';
import {badge, empty, failed, segmentLink} from '../parts.js';

export const title = 'Tag assistant';

const WAIT_S = 20, AGAIN_MS = 2000, KEPT = 100;
let watched = null; /* {code, until, next, hits: newest first} */

/* --- one hit */

const VERDICTS = {recorded: ['recorded', 'good'], set_aside: ['set aside', 'warn'], refused: ['refused', 'bad'], not_recorded: ['not recorded', 'bad'], other_browser: ['another browser', 'warn'], foreign_page: ['page of another site', 'bad']};
const COUNTED = {
  yes: null,
  provisional: 'Not counted yet: it is the first hit of this browser. It counts when the next one brings the cookie back. If this stays, the cookie is lost.',
  unclear: 'Counted. What it changed is not told: other hits of this browser were counted at the same moment, or rules changed.',
  late: 'Recorded. The numbers are behind, so what it changed is not known yet.',
};
const KINDS = {
  title: 'the title, which rules see and nobody keeps', referrer: 'the referrer, of which the class stays', query: 'the query of the address', parameter: 'parameters, which rules see and nobody keeps', url: 'the address, which could not be read',
  path_segment: 'parts of the path that name somebody', event_name: 'the name of the event, which has signs that it may not have', attribute: 'attributes: names of persons, values like addresses, numbers or tokens, or too many',
  attribute_value: 'values that rules do not declare',
};

const line = (term, ...inside) => el('div', {class: 'fact'}, el('dt', {text: term}), el('dd', null, inside));
const time = new Intl.DateTimeFormat(navigator.language || 'en', {hour: '2-digit', minute: '2-digit', second: '2-digit'});

function facts(hit) {
  const changed = hit.segments, parts = [];
  if (hit.attributes.length) parts.push(line('Attributes', hit.attributes.map((a, i) => [i ? ', ' : '', el('code', null, name(a.name), ' = ', name(a.value))])));
  if (hit.value !== null) parts.push(line('Value', text.real(hit.value)));
  if (hit.campaign) parts.push(line('Campaign', name(hit.campaign)));
  if (hit.referrer && hit.referrer !== 'none') parts.push(line('Came from', hit.referrer));
  if (hit.categories.length) parts.push(line('Is about', el('span', {class: 'tags'}, hit.categories.map((id) => el('a', {class: 'badge', href: '#/categories/' + encodeURIComponent(id)}, name(id))))));
  if (changed.entered.length) parts.push(line('Entered', changed.entered.map((id, i) => [i ? ', ' : '', segmentLink(id)])));
  if (changed.left.length) parts.push(line('Left', changed.left.map((id, i) => [i ? ', ' : '', segmentLink(id)])));
  if (hit.dropped.length) parts.push(line('Not kept', hit.dropped.map((d, i) => [i ? '; ' : '', d.n > 1 ? text.number(d.n) + ' × ' : '', KINDS[d.kind] || d.kind.replaceAll('_', ' ')])));
  if (hit.verdict === 'recorded' && hit.counted === 'yes' && !hit.categories.length) parts.push(line('Is about', 'no category: no rule looks for it', hit.path && [' · ', el('a', {href: '#/make?' + new URLSearchParams({kind: 'path', value: hit.path}), text: 'Make one of it'})]));
  return parts;
}

function article(hit) {
  const [words, kind] = VERDICTS[hit.verdict] || [hit.verdict, ''], known = facts(hit);
  return el('li', {class: 'live-hit', 'data-hit': hit.n, 'data-verdict': hit.verdict, 'data-reason': hit.reason, 'data-counted': hit.counted},
    el('div', {class: 'live-head'}, badge(words, kind), hit.event && el('strong', null, name(hit.event)), (hit.site || hit.path) && el('code', null, name(hit.site + hit.path)), el('time', {class: 'fine', datetime: new Date(hit.t * 1000).toISOString(), text: time.format(new Date(hit.t * 1000))})),
    hit.says && el('p', {class: 'fine', text: hit.says}), COUNTED[hit.counted] && el('p', {class: 'fine', text: COUNTED[hit.counted]}), known.length > 0 && el('dl', {class: 'facts'}, known));
}

/* --- the code */

function codeForm(view, again) {
  const says = el('p', {class: 'says', role: 'alert', id: 'live-says'});
  const input = el('input', {id: 'live-code', name: 'code', type: 'text', required: true, autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', placeholder: 'K7Q-3MH-W2X', 'aria-describedby': 'live-says'});
  const pair = async (e) => {
    e.preventDefault();
    says.textContent = '';
    try {
      const paired = await post('/v1/live/pair', null, {signal: view.signal, parameters: {code: input.value}});
      watched = {...paired, next: 0, hits: []};
      again();
    } catch (trouble) {
      if (trouble.name === 'AbortError') return;
      says.textContent = trouble.message;
      input.focus();
    }
  };
  return el('form', {class: 'live-form', onsubmit: pair}, el('label', {for: 'live-code', text: 'Code of the tab'}), el('div', {class: 'tools'}, input, el('button', {class: 'primary', text: 'Watch'})), says);
}

const steps = () => el('ol', {class: 'steps'},
  el('li', null, 'Open the page in question with ', el('code', {text: '#crumb-debug'}), ' behind its address, on any device.'),
  el('li', {text: 'Click “Show a code” in the panel that appears.'}),
  el('li', {text: 'Type the code here. For 15 minutes you see what becomes of the hits of that tab, and of no other.'}));

/* --- watching */

const left = () => Math.max(0, watched.until - Date.now() / 1000);

function again(list, hits) {
  for (const hit of hits) {
    watched.hits.unshift(hit);
    list.prepend(article(hit));
    speak((VERDICTS[hit.verdict] || [hit.verdict])[0] + ' ' + hit.event + ' ' + hit.path);
  }
  for (const old of watched.hits.splice(KEPT)) list.querySelector('[data-hit="' + old.n + '"]')?.remove();
}

/* Asks for the next hits until the view is left, or the pairing is over. */
async function follow(view, list, note, over) {
  const mine = watched, parameters = () => ({code: mine.code, after: mine.next, wait: WAIT_S});
  while (!view.ended && watched === mine) {
    try {
      const told = await get('/v1/live', {signal: view.signal, parameters: parameters()});
      if (view.ended || watched !== mine) return;
      note.hidden = true;
      mine.next = told.next;
      again(list, told.hits);
      list.previousElementSibling.hidden = mine.hits.length > 0;
      if (told.until === null) return over();
    } catch (e) {
      if (view.ended || e.name === 'AbortError' || e.kind === 'signin') return;
      note.replaceChildren(failed(e));
      note.hidden = false;
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

function watching(view, redraw) {
  const clock = el('span', {class: 'fine', 'data-left': ''}), note = el('div', {hidden: true}), list = el('ol', {class: 'live-hits', 'data-live': '', 'aria-label': 'Hits, newest first'}, watched.hits.map(article));
  const over = () => { watched = null; redraw('It is over. Type a new code to watch again.'); };
  const end = async () => {
    const code = watched.code;
    over();
    await post('/v1/live/end', null, {parameters: {code}});
  };
  const tick = () => { if (watched) clock.textContent = text.number(Math.ceil(left() / 60)) + ' minutes left'; };
  const ticking = setInterval(tick, 5000);
  view.signal.addEventListener('abort', () => clearInterval(ticking));
  tick();
  follow(view, list, note, over);
  return [el('div', {class: 'card live-bar'}, el('strong', {class: 'live-code', 'data-code': '', text: watched.code}), clock, el('button', {type: 'button', onclick: end, text: 'End'})), note,
    el('div', {class: 'card card-table', hidden: watched.hits.length > 0}, empty('Waiting for the first hit', 'Click something on the page, or load it again. If nothing comes, look whether its panel shows this very code.')), list];
}

export function show(view) {
  view.head('Tag assistant', {about: 'What becomes of the hits of one tab: why one is refused, what is kept of it, and what it changes.'});
  if (!view.may('marketer')) {
    view.root.append(failed({kind: 'forbidden'}));
    return;
  }
  const room = el('div', {class: 'stack'});
  view.root.append(room);
  const redraw = (said) => {
    if (watched) room.replaceChildren(...watching(view, redraw));
    else room.replaceChildren(el('section', {class: 'panel card', 'aria-label': 'Code'}, said && el('p', {class: 'note', role: 'status', text: said}), codeForm(view, redraw), steps()));
  };
  redraw();
}
