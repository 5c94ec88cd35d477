/* From a change to rules that serve: what would change, a word why, and then how far it is. Screens say what is to be changed; here is all the rest.
 *
 *     const p = publisher(view, {edit: () => ({kind: 'segment', id, set: {when: 'coats'}}), done: (answer) => [nodes]});
 *     place.append(p.node);
 *
 *     [Check]  ─► rules/edit ─► rules/check ─► rules/diff ─► what enters, stays, leaves
 *     [Publish] ─► rules/publish with the files' hash ─► rules/status until it serves ─► done
 *
 * Nothing is written before [Publish]. 409, somebody was faster: the change is put on what is there by now, and shown again. 403, rules cannot be written here:
 * a patch to take home. Whatever fails, what was typed stays. `edit` returns a sentence instead when something is missing. */
import {get, maybe, post, Trouble} from '../api.js';
import {el, name, speak, text as say} from '../dom.js';
import {badge, count, segmentLink, table, value, withheldWords} from '../parts.js';

const POLL_MS = 400;
const pause = (ms, signal) => new Promise((done, stop) => { const t = setTimeout(done, ms); signal.addEventListener('abort', () => { clearTimeout(t); stop(new DOMException('left', 'AbortError')); }, {once: true}); });

/* --- small parts */

export function save(words, file, make) {
  return el('button', {type: 'button', onclick: () => {
    const url = URL.createObjectURL(new Blob([make()], {type: 'text/plain'}));
    el('a', {href: url, download: file}).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    speak('Saved as ' + file);
  }, text: words});
}

export function patchView(patch) {
  const kind = (l) => (/^(---|\+\+\+|@@)/.test(l) ? 'place' : l.startsWith('+') ? 'plus' : l.startsWith('-') ? 'minus' : '');
  return el('pre', {class: 'patch', dir: 'ltr', tabindex: '0', 'aria-label': 'Patch'}, patch.replace(/\n$/, '').split('\n').map((l) => el('span', {class: kind(l), text: l + '\n'})));
}

function findings(problems) {
  return el('ul', {class: 'problems'}, problems.map((p) => el('li', {class: p.severity === 'warning' ? 'warning' : ''}, el('span', {dir: 'auto', text: p.message}), el('span', {class: 'under', dir: 'auto', text: [p.hint, p.file && `${p.file}, line ${p.line}`].filter(Boolean).join(' · ')}))));
}

/* A bar that somebody watches: `part` of 1, or null when nobody knows how far it is. */
export function progress(words) {
  const bar = el('progress', {max: 1, 'aria-label': words}), said = el('span', {text: words});
  return {node: el('p', {class: 'progress', role: 'status'}, said, bar), say(w, part) {
    said.textContent = w + (part === null || part === undefined ? '' : ' · ' + say.percent(part));
    if (part === null || part === undefined) bar.removeAttribute('value');
    else bar.value = part;
  }};
}

/* Waits until the newest rules serve, and shows how far they are. */
export async function untilServing(view, into, words = 'The rules are taken. Their numbers are being made from the history') {
  const p = progress(words);
  into.append(p.node);
  for (;;) {
    const s = await get('/v1/rules/status', {signal: view.signal});
    if (s.trouble) throw new Trouble('failed', s.trouble);
    if (s.complete && !s.backfill) break;
    p.say(words, s.backfill?.done ?? null);
    await pause(POLL_MS, view.signal);
  }
  p.node.remove();
}

/* --- what would change */

const CHANGES = {added: ['new', 'good'], new: ['new', 'good'], removed: ['removed', 'bad'], gone: ['removed', 'bad'], changed: ['changed', 'warn'], renamed: ['renamed', '']};
const isChange = (s) => !['same', 'unchanged', 'none'].includes(s.change) || (s.settings || []).length > 0;
/* Too few to be told, or nobody: short, for six of them stand in a row. */
const few = () => el('span', {class: 'withheld', title: withheldWords()}, el('span', {'aria-hidden': 'true', text: '< ' + withheldWords().replace(/\D+/g, '')}), el('span', {class: 'unseen', text: withheldWords()}));
const settled = (v) => (v === null || v === undefined || v === '' ? 'nothing' : Array.isArray(v) ? v.join(', ') : String(v));

function movesOf(diff) {
  const rows = diff.segments.filter(isChange), number = (n, s) => (s.uncounted ? value(null) : n === null || n === undefined ? few() : count(n));
  if (!rows.length) return el('p', {class: 'fine', text: 'No segment changes.'});
  return el('div', {'data-diff': ''}, table({caption: 'What would change', rows, attributes: (s) => ({'data-diff-segment': s.id, 'data-enter': s.enter ?? '', 'data-stay': s.stay ?? '', 'data-leave': s.leave ?? ''}), columns: [
    {key: 'id', label: 'Segment', head: true, cell: (s) => [name(s.id), ' ', badge(...(CHANGES[s.change] || [s.change === 'same' ? 'settings' : s.change, ''])), s.lookalike && el('span', {class: 'under', text: s.lookalike.trained ? 'its model changes' : 'nobody is in it before it is trained'})]},
    {key: 'before', label: 'Before', kind: 'number', wide: true, cell: (s) => (s.change === 'added' ? value(null) : number(s.before, s))}, {key: 'after', label: 'After', kind: 'number', cell: (s) => (s.change === 'removed' ? value(null) : number(s.after, s))},
    {key: 'enter', label: 'Enter', kind: 'number', cell: (s) => number(s.enter, s)}, {key: 'stay', label: 'Stay', kind: 'number', wide: true, cell: (s) => number(s.stay, s)}, {key: 'leave', label: 'Leave', kind: 'number', cell: (s) => number(s.leave, s)}]}));
}

function drawDiff(diff) {
  const rest = diff.segments.filter((s) => !isChange(s)).length, settings = diff.segments.filter(isChange).flatMap((s) => (s.settings || []).map((w) => [s.id, w]));
  const others = [...(diff.categories || []).map((c) => ['category', c]), ...(diff.attributes || []).map((c) => ['attribute', c])];
  return [movesOf(diff),
    others.length > 0 && el('ul', {class: 'rows'}, others.map(([what, c]) => el('li', null, badge(...(CHANGES[c.change] || [c.change, ''])), el('span', {class: 'grow'}, what + ' ', name(c.id))))),
    settings.length > 0 && el('ul', {class: 'rows'}, settings.map(([id, w]) => el('li', null, el('span', {class: 'fine', text: w.what}), el('span', {class: 'grow'}, name(id), ': ', name(settled(w.from)), ' → ', name(settled(w.to)))))),
    rest > 0 && el('p', {class: 'fine', text: rest === 1 ? 'One other segment stays as it is.' : `${say.number(rest)} other segments stay as they are.`})];
}

/* --- the whole way */

export function publisher(view, {edit, done = () => [], button = 'See what changes', why: reason = () => ''}) {
  const check = el('button', {type: 'button', class: 'primary', 'data-check': '', text: button}), room = el('div', {class: 'stack publish-room'});
  const node = el('section', {class: 'panel card', 'aria-label': 'Publish', 'data-publish': '', 'data-state': 'idle'}, el('div', {class: 'panel-head'}, el('h2', {text: 'Publish'}), check), room);
  const o = {signal: view.signal};
  let turn = 0;

  const state = (s, ...nodes) => {
    node.dataset.state = s;
    room.replaceChildren(...nodes.flat(Infinity).filter(Boolean));
  };
  const failed = (e) => {
    if (e.name === 'AbortError' || view.ended) return;
    if (!(e instanceof Trouble)) console.error(e);
    state('failed', el('div', {class: 'note', role: 'alert'}, el('p', {dir: 'auto', text: e.message}), el('p', {class: 'fine', text: 'Nothing was published. What you typed is still here.'})), e.body?.problems?.length ? findings(e.body.problems) : null,
      e.body?.entry && [el('p', {text: 'This file can only be changed by hand. Put this entry into it:'}), el('pre', {class: 'snippet', dir: 'ltr', text: e.body.entry})], e.body?.patch && [patchView(e.body.patch), save('Save the patch', 'crumb.patch', () => e.body.patch)]);
  };

  async function compared(made, bar) {
    const asked = post('/v1/rules/diff', made.text, {...o, parameters: {file: made.file}});
    let waiting = true;
    const end = () => { waiting = false; };
    asked.then(end, end);
    while (waiting) {
      await Promise.race([asked.catch(() => null), pause(POLL_MS, view.signal)]);
      if (!waiting) break;
      const s = await maybe(get('/v1/rules/status', o));
      bar.say('Comparing with the visitors of now', s?.comparing ?? null);
    }
    return asked;
  }

  /* The diff; a sentence where there is none now. */
  async function difference(made, bar) {
    try {
      return drawDiff(await compared(made, bar));
    } catch (e) {
      if (e.name === 'AbortError' || !['busy', 'failed'].includes(e.kind) || e.body?.problems) throw e;
      return el('p', {class: 'note', dir: 'auto', text: 'Who would enter and leave cannot be counted now: ' + e.message});
    }
  }

  function takeHome(files, made) {
    return [el('p', {class: 'note'}, 'Rules cannot be published from here', files.why ? ': ' : '.', files.why && name(files.why)), el('p', {class: 'fine', text: 'Take the change home: who keeps the rules can apply the patch, or put the whole file in place.'}),
      patchView(made.patch), el('div', {class: 'tools'}, save('Save the patch', made.file.replace(/\.ya?ml$/, '') + '.patch', () => made.patch), save('Save the whole file', made.file, () => made.text))];
  }

  async function publish(made, input, go) {
    go.disabled = true;
    const mine = ++turn, words = input.value.trim();
    try {
      const answer = await post('/v1/rules/publish', made.text, {...o, parameters: {file: made.file, why: words || 'no word why'}, headers: {'If-Match': `"${made.hash}"`}});
      speak('Published');
      await published(view, answer, state, done, made.what);
    } catch (e) {
      if (mine !== turn) return;
      if (e.status === 409) faster(e);
      else if (e.status === 403) state('forbidden', takeHome({why: e.message}, {...made, patch: e.body?.patch || made.patch}));
      else failed(e);
    }
  }

  async function faster(e) {
    const history = await maybe(get('/v1/rules/history', o), []).catch(() => []), last = history[0];
    state('conflict', el('div', {class: 'note', role: 'alert'}, el('p', {text: 'Somebody was faster: the rules were changed since you looked.'}), last && el('p', null, name(last.who || 'somebody'), ', ', say.time(last.t), ': ', name(last.why || '')), !last && el('p', {dir: 'auto', text: e.message})),
      el('p', {class: 'fine', text: 'Your change is kept. It touches only its own lines: look at what it would do to the rules of now, and publish it on top of them.'}), el('div', null, el('button', {type: 'button', class: 'primary', onclick: () => begin(), text: 'Compare again'})));
  }

  async function begin() {
    const what = edit(), mine = ++turn;
    if (typeof what === 'string') {
      state('missing', el('p', {class: 'note', role: 'alert', text: what}));
      return;
    }
    const bar = progress('Making the change');
    state('checking', bar.node);
    try {
      const [files, made] = await Promise.all([get('/v1/rules/files', o), post('/v1/rules/edit', JSON.stringify(what), {...o, type: 'application/json'})]);
      bar.say('Checking the rules', null);
      const checked = await post('/v1/rules/check', made.text, {...o, parameters: {file: made.file}});
      if (mine !== turn) return;
      if (!checked.ok) return state('wrong', el('p', {class: 'note', role: 'alert', text: 'The rules would have mistakes like this. Nothing was changed.'}), findings(checked.problems));
      if (!made.patch) return state('same', el('p', {class: 'note', text: 'This is what the rules say already: there is nothing to publish.'}));
      bar.say('Comparing with the visitors of now', null);
      const diff = await difference(made, bar);
      if (mine !== turn || view.ended) return;
      offer(files, {...made, what}, checked, diff);
    } catch (e) {
      if (mine === turn) failed(e);
    }
  }

  function offer(files, made, checked, diff) {
    const lines = el('details', {class: 'twin'}, el('summary', {text: 'The lines that change in ' + made.file}), patchView(made.patch));
    const warnings = checked.problems.length > 0 && findings(checked.problems);
    if (!files.editable) {
      state('patch', diff, warnings, takeHome(files, made));
      return;
    }
    const input = el('input', {type: 'text', name: 'why', maxlength: '200', dir: 'auto', autocomplete: 'off', value: reason(made.what), 'aria-label': 'A word why', placeholder: 'A word why: who reads the history will thank you'});
    const go = el('button', {type: 'submit', class: 'primary', 'data-go': '', text: 'Publish'});
    state('ready', diff, warnings, lines, el('form', {class: 'why', onsubmit: (e) => { e.preventDefault(); publish(made, input, go); }}, input, go, el('button', {type: 'button', onclick: () => { turn++; state('idle'); check.focus(); }, text: 'Not yet'})));
    input.focus();
    speak('This is what would change. A word why, and publish.');
  }

  check.addEventListener('click', begin);
  return {node, begin, stale: () => { if (['ready', 'wrong', 'missing', 'patch', 'same'].includes(node.dataset.state)) { turn++; state('idle'); } }};
}

/* What comes after a publication or an undo: progress, then the way on, with an undo. */
async function published(view, answer, state, done, what) {
  const room = el('div');
  state('serving', el('p', null, badge('published', 'good'), ` as number ${answer.n}. Others see it in the history.`), room);
  try {
    await untilServing(view, room);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    state('trouble', el('p', {class: 'note', role: 'alert', dir: 'auto', text: 'It is published, but does not serve yet: ' + e.message}), undoButton(view, state, done, what));
    return;
  }
  speak('It serves');
  state('done', el('p', {role: 'status'}, badge('it serves', 'good'), ' The numbers are those of the new rules.'), done(answer, what), el('div', {class: 'tools'}, undoButton(view, state, done, what), el('a', {class: 'button', href: '#/history', text: 'History'})));
  room.focus?.();
}

function undoButton(view, state) {
  return el('button', {type: 'button', 'data-undo': '', onclick: async (e) => {
    e.target.disabled = true;
    try {
      await undo(view, 'undone from the editor', (...nodes) => state('undoing', ...nodes));
      state('undone', el('p', {role: 'status'}, badge('undone', 'warn'), ' The rules of before serve again. What you typed is still here.'), el('div', {class: 'tools'}, el('a', {class: 'button', href: '#/history', text: 'History'})));
    } catch (problem) {
      if (problem.name === 'AbortError') return;
      state('failed', el('p', {class: 'note', role: 'alert', dir: 'auto', text: 'It was not undone: ' + problem.message}));
    }
  }, text: 'Undo'});
}

/* Publishes what was before, and waits until it serves. `show(nodes)` draws. */
export async function undo(view, why, show) {
  const answer = await post('/v1/rules/undo', null, {signal: view.signal, parameters: {why}}), room = el('div');
  show(room);
  await untilServing(view, room, 'The rules of before are taken. Their numbers are being made');
  return answer;
}

export const doneLinks = (id) => [el('p', null, segmentLink(id, 'Look at the segment')), ' '];
