/* What is done with a destination: deliver now, all of it again, what failed once more; and why a segment, or somebody, does not go there.
 *
 *     panel.append(acts(view, destination, {again: () => {}})); */
import {get, post} from './api.js';
import {el, name, speak, text} from './dom.js';
import {badge, count, empty, segmentLink, table, value, withheldWords} from './parts.js';
import {progress} from './edit/publish.js';

const SAID = {delivered: ['good', 'The partner has taken it.'], nothing_to_say: ['', 'The partner has everything already: nothing was sent.'], waiting: ['warn', 'The partner did not take all of it. It is tried again by itself.'], failed: ['bad', 'It was given up.'], replaced: ['', 'A later delivery says it.']};
const WHY = {sent: ['goes', 'good', 'It is sent.'], below_k: ['too few', 'warn', 'Fewer members than a partner may be told.'], not_active: ['not active', 'warn', 'It is paused or has ended.'], sensitive: ['sensitive', 'bad', 'It uses a sensitive category, and this destination may not get those.'], label: ['label', 'bad', 'Its data carries a label that this destination may not get.'],
  no_number: ['no number', 'warn', 'The partner’s number of this segment is not known: the file of destinations names it.'], not_routed: ['not sent any more', '', 'It does not go there under this name any more; the partner is told to take it out.']};

/* The outcome of a delivery: {state, files, added, removed, refused, unusable, segments, why}. */
function outcome(r) {
  const [kind, words] = SAID[r.state] || ['', ''], rows = r.segments || [], numbers = [['added', r.added], ['taken out', r.removed], ['refused by the partner', r.refused], ['ids that the format cannot write', r.unusable]].filter(([, n]) => n);
  return el('div', {class: 'stack', role: 'status', 'data-delivered': r.state}, el('p', null, badge(r.state.replaceAll('_', ' '), kind), ' ', words), r.why && el('p', {class: 'note', dir: 'auto'}, 'In the partner’s words: ', name(r.why)),
    numbers.length > 0 && el('p', {class: 'fine', text: numbers.map(([w, n]) => `${text.number(n)} ${w}`).join(' · ')}), rows.length > 0 && segments(rows));
}

function segments(rows) {
  return table({caption: 'What became of each segment', rows, attributes: (s) => ({'data-delivered-segment': s.id, 'data-why': s.state}), columns: [{key: 'id', label: 'Segment', head: true, cell: (s) => [segmentLink(s.id), s.theirs && s.theirs !== s.id && el('span', {class: 'under'}, 'there: ', name(s.theirs))]},
    {key: 'state', label: 'Goes', cell: (s) => { const [short, kind, why] = WHY[s.state] || [s.state, '', '']; return [badge(short, kind), s.state !== 'sent' && el('span', {class: 'under', text: why})]; }}, {key: 'members', label: 'Could be sent', kind: 'number', cell: (s) => (s.state === 'sent' || s.state === 'below_k' ? count(s.members, {k: s.below}) : value(null))}]});
}

/* Why somebody of a segment is not there: the numbers of the latest delivery, each member by the first reason that holds; before there are any, what the rules say. */
export function notGoing(d) {
  const told = d.last?.not_sent, known = (n) => n !== null && n !== undefined, lost = known(d.members) && known(d.with_id) ? d.members - d.with_id : told?.no_id;
  const many = (n) => (known(n) ? text.number(n) : withheldWords(d.below));
  const rows = [
    d.partner && ['no_id', 'no id', lost, lost === 0 ? 'Every member has an id that the partner knows.' : known(lost) || told ? `${many(lost)} members have no id that the partner knows: it has not met their browsers yet.` : 'Members whose id the partner does not know cannot go: how many that are is not known before the first delivery.'],
    ['no_consent', 'consent', told?.no_consent, (told ? `${many(told.no_consent)} members did not consent to a purpose that this destination needs. ` : '') + 'Whoever withdraws consent' + (d.partner ? ', or has not consented to this partner, is' : ' is') + ' not sent, and is taken out where he was.'],
    ['other_source', 'source', told?.other_source, told ? `${many(told.other_source)} members came with an import of which this destination may not have the data.` : 'Visitors who came with an import are not sent where its data may not go.'],
    ['held_out', 'held out', told?.held_out, told ? `${many(told.held_out)} members are held out to compare with, by every segment that they are in.` : 'Visitors that a segment holds out to compare with are not sent.'],
    ['label', 'label', null, 'Segments of data with a label that this destination may not get are not sent. The outcome of a delivery names them.'],
  ].filter(Boolean);
  return [told && el('p', {class: 'fine', text: 'Counted by the latest delivery, each member once: by the first reason that holds. “Fewer than” also stands where a smaller number would follow from the one that is not told.'}),
    el('ul', {class: 'rows'}, rows.map(([key, what, n, words]) => el('li', {'data-stays': key}, badge(what, n > 0 ? 'warn' : ''), el('span', {class: 'grow', text: words[0].toUpperCase() + words.slice(1)}))))];
}

const NO_FILE = {push: ['Sent by request', 'Files go to the partner’s address, and none stays here.'], asked: ['Nothing is sent', 'Whoever wants it asks: there are no files.'], none: ['None yet', 'There is a file to look at after the first delivery.'], gone: ['Taken away', 'The partner, or somebody else, has taken the file out of the folder.'], changed: ['Changed', 'The file in the folder is not what was delivered: somebody has written it anew.'], older: ['Not noted', 'An earlier version made the latest delivery. The next one can be looked at.']};

/* How the latest file begins, without ids. */
export function headOf(h) {
  if (h.state !== 'file') return el('div', {'data-head': h.state}, empty(...NO_FILE[h.state]));
  const words = `Dots stand for the id. Each different line is shown once; lines that fewer than ${text.number(h.below)} are like are left out, so that nobody can be found in it.` + (h.part ? ' The file is large: its beginning was looked at.' : '');
  return el('div', {'data-head': 'file'}, el('p', {class: 'fine'}, el('code', {dir: 'ltr', text: h.file}), ' ', words),
    h.lines.length ? el('pre', {class: 'snippet', dir: 'ltr', tabindex: '0', 'aria-label': 'How the file begins', text: h.lines.join('\n') + (h.more ? '\n…' : '')}) : empty('Nothing to show', `No line has ${text.number(h.below)} others like it.`));
}

export function acts(view, d, {again}) {
  const room = el('div', {class: 'publish-room'});
  if (d.format === 'page' || /stream|page/.test(d.deliver || '')) return el('p', {class: 'fine', text: 'This destination fetches by itself: there is nothing to send.'});
  const run = async (button, path, parameters, words) => {
    const all = node.querySelectorAll('button'), bar = progress(words);
    all.forEach((b) => { b.disabled = true; });
    room.replaceChildren(bar.node);
    try {
      const told = await post(path, null, {signal: view.signal, parameters});
      room.replaceChildren(outcome(told));
      speak(told.state);
      // what cannot be asked again stays as it was: the outcome is there
      Promise.resolve(again()).catch(() => {});
    } catch (e) {
      if (e.name === 'AbortError') return;
      room.replaceChildren(el('p', {class: 'note', role: 'alert', dir: 'auto', text: e.message}));
    }
    all.forEach((b) => { b.disabled = false; });
    button.focus();
  };
  const button = (words, mark, path, parameters, doing, title) => el('button', {type: 'button', class: mark === 'now' ? 'primary' : '', 'data-act': mark, title, onclick: (e) => run(e.target, path, {to: d.id, ...parameters}, doing), text: words});
  const trouble = ['failed', 'waiting'].includes(d.last?.state);
  const node = el('div', null, el('div', {class: 'tools'}, button('Deliver now', 'now', '/v1/deliver', {}, 'Delivering what has changed', 'Who entered and left since the latest delivery'), button('Deliver all of it', 'full', '/v1/deliver', {mode: 'full'}, 'Delivering the whole audience', 'The whole audience, as if nothing had been sent'),
    trouble && button('Send again what failed', 'again', '/v1/deliver/again', {}, 'Sending again', 'What waits for its next try, or was given up')), room);
  return node;
}

/* Deliveries, newest first, whatever shape the server gives them. */
export const listOf = (got) => got?.deliveries || (Array.isArray(got) ? [...got].reverse() : []);
export const whyOf = (r) => r?.why || r?.error || '';
export const destinationOf = async (view, id) => (await get('/v1/destinations', {signal: view.signal})).find((x) => x.id === id);
