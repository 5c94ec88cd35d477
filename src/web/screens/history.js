/* What was published and by whom, and who did what else; the newest publication is undone here.
 *
 *     #/history?days=30 */
import {get, maybe} from '../api.js';
import {el, name, speak, text} from '../dom.js';
import {badge, count, csv, empty, saveCsv, segmentLink, table} from '../parts.js';
import {patchView, save, undo} from '../edit/publish.js';

export const title = 'History';

/* --- of rules */

function lines(view, h) {
  const room = el('div');
  return el('details', {class: 'twin', 'data-patch': String(h.n), ontoggle: async (e) => {
    if (!e.target.open || room.firstChild) return;
    try {
      const patch = await get('/v1/rules/history/patch', {signal: view.signal, parameters: {n: h.n}});
      room.replaceChildren(patchView(patch), save('Save the patch', `crumb-${h.n}.patch`, () => patch));
    } catch (problem) {
      if (problem.name !== 'AbortError') room.replaceChildren(el('p', {class: 'note', text: problem.message}));
    }
  }}, el('summary', {text: 'Lines'}), room);
}

function sizes(h) {
  const rows = (h.segments || []).filter((s) => s.before !== s.after), most = rows.slice(0, 5);
  if (!rows.length) return el('span', {class: 'fine', text: 'no size changed'});
  return el('ul', {class: 'moves'}, most.map((s) => el('li', null, segmentLink(s.id), ' ', count(s.before), ' → ', count(s.after))), rows.length > most.length && el('li', {class: 'fine', text: `and ${text.number(rows.length - most.length)} more`}));
}

function undoForm(view, newest, again) {
  const why = el('input', {type: 'text', name: 'why', maxlength: '200', dir: 'auto', autocomplete: 'off', 'aria-label': 'A word why', placeholder: 'A word why'}), go = el('button', {type: 'submit', 'data-undo': ''}, newest.undoes ? 'Undo the undoing' : 'Undo the newest'), room = el('div', {'data-undoing': ''});
  return [el('form', {class: 'why', onsubmit: async (e) => {
    e.preventDefault();
    go.disabled = true;
    try {
      await undo(view, why.value.trim() || 'undone from the history', (...nodes) => room.replaceChildren(...nodes));
      speak('Undone: the rules of before serve');
      again();
    } catch (problem) {
      if (problem.name === 'AbortError') return;
      go.disabled = false;
      room.replaceChildren(el('p', {class: 'note', role: 'alert', dir: 'auto', text: problem.message}));
    }
  }}, why, go), room];
}

function publications(view, [list, files], again) {
  const rows = list || [];
  if (!rows.length) return empty('Nothing was published yet', 'What is published from here or with crumb rules deploy is kept for 90 days, with who, when and why.');
  const columns = [{key: 'n', label: 'No.', kind: 'number', wide: true, cell: (h) => text.number(h.n)}, {key: 't', label: 'When', csv: (h) => new Date(h.t * 1000).toISOString(), cell: (h) => el('span', {class: 'fine', text: text.time(h.t)})}, {key: 'why', label: 'Why', head: true, cell: (h) => [name(h.why || 'no word why'), h.undoes ? [' ', badge('undoes ' + h.undoes, 'warn')] : null, lines(view, h)]},
    {key: 'who', label: 'Who', cell: (h) => [name(h.who || ''), h.role && el('span', {class: 'under', text: h.role})]}, {key: 'segments', label: 'Sizes before and after', wide: true, csv: false, cell: sizes}, {key: 'file', label: 'File', wider: true, cell: (h) => name(h.file || '')}];
  const may = view.may('marketer') && files?.editable;
  return [table({caption: 'Publications, newest first', columns, rows, attributes: (h) => ({'data-publication': String(h.n)})}), may && undoForm(view, rows[0], again),
    view.may('marketer') && files && !files.editable && el('p', {class: 'fine'}, 'Rules cannot be published or undone from here', files.why ? [': ', name(files.why)] : '.'), el('div', {class: 'tools end'}, saveCsv('publications', () => csv(columns, rows)))];
}

/* --- of everything */

const DID = {'rules.publish': 'published rules', 'rules.undo': 'undid a publication', deliver: 'delivered', 'deliver.again': 'delivered again', train: 'trained', 'lookalikes.train': 'trained', login: 'signed in', 'login.link': 'made a link that signs in', logout: 'signed out', export: 'exported', 'live.pair': 'paired with a tab', 'live.end': 'let go of a tab', 'clock.confirm': 'said that the clock is right', release: 'released from quarantine', 'quarantine.release': 'released from quarantine', import: 'imported', reload: 'had everything read again', backup: 'wrote a backup', compact: 'had the night’s work done', explain: 'looked somebody up', 'visitors.erase': 'erased a visitor', 'token.add': 'made a token', 'token.remove': 'withdrew a token', report: 'had the report made'};

function deeds(rows) {
  if (!rows?.length) return empty('Nobody did anything yet', 'Changes that people make are written down here for 90 days.');
  const columns = [{key: 't', label: 'When', csv: (r) => new Date(r.t * 1000).toISOString(), cell: (r) => el('span', {class: 'fine', text: text.time(r.t)})}, {key: 'who', label: 'Who', cell: (r) => [name(r.who), el('span', {class: 'under', text: r.role})]}, {key: 'what', label: 'Did', head: true, cell: (r) => [DID[r.what] || r.what, r.of && el('span', {class: 'under'}, name(r.of))]}, {key: 'why', label: 'Why', wide: true, cell: (r) => (r.why ? name(r.why) : '')}];
  return [table({caption: 'Who did what, newest first', columns, rows}), el('div', {class: 'tools end'}, saveCsv('history', () => csv([...columns, {key: 'of', label: 'Of'}], rows)))];
}

export function show(view) {
  view.head('History', {about: 'How the rules changed, and who did what.'});
  const rules = view.panel({title: 'Rules', load: (o) => Promise.all([get('/v1/rules/history', o), maybe(get('/v1/rules/files', o))]), draw: (all) => publications(view, all, () => { rules.again(); if (did) did.again(); })});
  const did = view.may('marketer') && view.panel({title: 'Who did what', load: (o) => get('/v1/history', {...o, parameters: {days: 90}}), draw: deeds});
}
