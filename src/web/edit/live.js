/* What a condition means and whom it finds, while it is being typed: words at once, a size 400 ms after the last key, each step when it has rested.
 *
 *     const live = liveOf({view, mark: (problems) => {}, meant: (ok) => {}});
 *     place.append(live.node); live.changed('coats and not purchase in 30d');
 *
 *     text ─120 ms─► POST /v1/ask/words ─► words, or mistakes at their places (no visitor is counted)
 *          ─400 ms─► POST /v1/ask/preview ─► the size; what was asked before and has not answered is dropped
 *          ─1.5 s──► the same for its first clause, its first two, ...: the funnel
 *
 * What was answered once on this page is not asked again: a preview is a question, and their number of a day is limited. [data-preview] has data-size (empty when
 * withheld, wrong or not known yet) and data-state: asking, known, withheld, wrong, empty, busy, unknown. */
import {post, Trouble} from '../api.js';
import {el, name, text as say} from '../dom.js';
import {count, meter, withheldWords} from '../parts.js';
import {steps} from './clauses.js';

const WORDS_MS = 120, SIZE_MS = 400, FUNNEL_MS = 1500, FEW_LEFT = 60;

function problemList(problems) {
  return el('ul', {class: 'problems'}, problems.map((p) => el('li', {class: p.severity === 'warning' ? 'warning' : ''}, el('span', {dir: 'auto', text: p.message}), p.hint && el('span', {class: 'under', dir: 'auto', text: p.hint}))));
}

export function liveOf({view, mark, meant}) {
  const size = el('p', {class: 'preview-size'}), note = el('p', {class: 'fine'}), share = el('p', {class: 'fine'}), left = el('p', {class: 'fine', 'data-questions-left': ''});
  const preview = el('div', {'data-preview': '', 'data-size': '', 'data-state': 'empty', 'aria-live': 'polite'}, size, share, note);
  const words = el('p', {class: 'words', dir: 'auto', 'data-in-words': ''}), wrong = el('div', {role: 'alert', 'data-problems': ''}), funnel = el('ol', {class: 'funnel', 'data-funnel': ''});
  const answers = new Map();
  let timers = [], abort = new AbortController(), few = false;

  const show = (state, node, n = '') => {
    preview.dataset.size = n;
    preview.dataset.state = state;
    size.replaceChildren(node);
  };

  /* The answer to a condition: {size, visitors, below}, {problems} where it cannot be counted, or a Trouble. */
  async function ask(condition, signal) {
    const key = condition.trim();
    if (answers.has(key)) return answers.get(key);
    const a = await post('/v1/ask/preview', condition, {signal, parameters: {mistakes: 1}});
    if (!a.pending) answers.set(key, a);
    if (a.left !== undefined && a.left !== null) {
      left.textContent = `Questions left today: ${say.number(a.left)}`;
      few = a.left < FEW_LEFT;
    }
    return a;
  }

  /* Nothing is wrong with the words, yet it has no number before a rule asks for it: sum(v of X), for one. */
  function uncounted(problems) {
    show('unknown', el('span', {class: 'withheld', text: 'no size yet'}));
    share.textContent = '';
    note.textContent = problems.map((p) => p.code === 'not-summed' ? 'The values of this category are not added up yet. They are, and the size is known, once a segment that asks for them is published.' : p.message + (p.hint ? ': ' + p.hint : '')).join(' ');
  }

  function told(a) {
    if (a.problems?.length) return uncounted(a.problems);
    if (a.size === null) show('withheld', el('span', {class: 'withheld', text: withheldWords(a.below)}));
    else show('known', el('span', {class: 'number', text: say.number(a.size)}), String(a.size));
    share.textContent = a.size !== null && a.visitors ? `${say.percent(a.size / a.visitors)} of ${say.number(a.visitors)} visitors` : a.size === null ? 'Groups this small are not told, so that nobody can be found in them.' : '';
    note.textContent = a.pending ? 'Changed rules are on their way: the number may still move.' : '';
  }

  function refused(e) {
    if (e.name === 'AbortError') return;
    if (!(e instanceof Trouble)) console.error(e);
    share.textContent = '';
    show(e.kind === 'busy' ? 'busy' : 'unknown', el('span', {class: 'withheld', text: 'no size now'}));
    note.textContent = e.message;
  }

  async function sizes(condition, signal) {
    try {
      told(await ask(condition, signal));
    } catch (e) {
      refused(e);
    }
  }

  /* A step that cannot be counted alone, such as `not purchase`, has no number; the others have. */
  async function count1(condition, signal) {
    const a = await ask(condition, signal);
    return a.problems?.length ? null : a;
  }

  async function counted(text, signal, most) {
    try {
      const all = steps(text);
      for (const [i, li] of [...funnel.children].entries()) {
        const a = await count1(all[i], signal);
        if (signal.aborted) return;
        li.dataset.size = a?.size ?? '';
        li.querySelector('.step-size').replaceChildren(a ? count(a.size, {k: a.below}) : el('span', {class: 'none', title: 'Alone this asks for nothing that somebody did', text: '–'}), a?.size && a.visitors ? el('span', {class: 'part', text: say.percent(a.size / a.visitors)}) : '');
        li.querySelector('.meter').replaceWith(meter(a?.size && a.visitors ? a.size / a.visitors : 0));
      }
      most();
    } catch (e) {
      if (e.name !== 'AbortError' && e.kind !== 'busy') console.error(e);
    }
  }

  /* Bars are as parts of the first step, which is 1. */
  function scaled() {
    const known = [...funnel.children].map((li) => Number(li.dataset.size) || 0), most = Math.max(...known, 1);
    [...funnel.children].forEach((li, i) => li.querySelector('.meter').replaceWith(meter(known[i] / most)));
  }

  function drawFunnel(text, clauses, signal) {
    const all = steps(text);
    if (!all || all.length !== clauses.length || all.length < 2) {
      funnel.replaceChildren();
      return;
    }
    funnel.replaceChildren(...clauses.map((c) => el('li', {'data-clause': c.clause}, el('div', null, name(c.words), el('code', {dir: 'ltr', text: c.clause})), el('div', {class: 'step-size'}, el('span', {class: 'none', text: '…'})), meter(0))));
    const go = () => counted(text, signal, scaled);
    if (few) funnel.append(el('li', null, el('button', {type: 'button', onclick: (e) => { e.target.closest('li').remove(); go(); }, text: `Count each step: ${all.length - 1} questions`})));
    else timers.push(setTimeout(go, FUNNEL_MS - WORDS_MS));
  }

  function mistaken(problems, otherwise) {
    words.textContent = '';
    funnel.replaceChildren();
    share.textContent = note.textContent = '';
    show('wrong', el('span', {class: 'withheld', text: problems.length ? 'not a condition yet' : 'no size now'}));
    wrong.replaceChildren(problems.length ? problemList(problems) : el('p', {class: 'note', text: otherwise}));
    mark(problems);
    meant(false, null);
  }

  async function said(text, signal, wait) {
    try {
      const a = await post('/v1/ask/words', text, {signal, parameters: {mistakes: 1}});
      if (a.problems?.length) return mistaken(a.problems);
      words.textContent = a.words;
      wrong.replaceChildren();
      mark([]);
      meant(true, a);
      drawFunnel(text, a.clauses || [], signal);
      timers.push(setTimeout(() => sizes(text, signal), wait));
    } catch (e) {
      if (e.name === 'AbortError') return;
      mistaken(e.body?.problems || [], e.message);
    }
  }

  return {
    preview, words, funnel, wrong, left,
    /* The first text is nobody's typing: it need not wait for a next key. */
    begin(text) { this.changed(text, 0, 0); },
    changed(text, forWords = WORDS_MS, forSize = SIZE_MS - WORDS_MS) {
      abort.abort();
      abort = new AbortController();
      const {signal} = abort;
      view.signal.addEventListener('abort', () => abort.abort(), {signal});
      timers.forEach(clearTimeout);
      timers = [];
      if (!text.trim()) {
        words.textContent = share.textContent = note.textContent = '';
        wrong.replaceChildren();
        funnel.replaceChildren();
        mark([]);
        meant(false, null);
        show('empty', el('span', {class: 'withheld', text: 'nothing asked yet'}));
        return;
      }
      if (preview.dataset.state !== 'asking') preview.dataset.state = 'asking';
      timers.push(setTimeout(() => said(text, signal, forSize), forWords));
    },
  };
}
