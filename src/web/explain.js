/* Is a browser in a segment, why, and what would change it: the card of an operator.
 *
 *     the value of a cookie, or a key ─► POST /v1/ask/explain ─► in or not · each part of the condition, with ✓ or ✗ · the smallest change
 *
 * What was typed names one visitor: it is in the field and in the body of the question, in no address and in no store, and leaving the view empties the field. */
import {post} from './api.js';
import {el, name, text} from './dom.js';
import {badge} from './parts.js';

/* --- what is asked */

/* What was pasted, as the body names it: the value alone, `crumb=VALUE;` of a header, or a key. */
function named(typed) {
  const value = typed.trim().replace(/^crumb\s*[=:]\s*/i, '').replace(/^"|[";]+$/g, '').trim();
  return /^[0-9a-f]{32}$/i.test(value) ? {key: value} : {cookie: value};
}

const SAID = [
  [/forged or overdue/, 'This is not the whole value of a cookie of this server, or it is too old. Copy the value of the cookie “crumb” once more.'],
  [/nothing is known/, 'Nothing is known of this browser. Perhaps none of its hits was recorded, it has opted out, or what was known was erased or is too old.'],
  [/seen once/, 'This browser was seen once, without a cookie. It counts when it comes back.'],
  [/32 hex/, 'A visitor’s key has 32 digits from 0 to 9 and a to f.'],
];
const why = (trouble) => SAID.find(([of]) => of.test(trouble.message))?.[1] || (trouble.kind === 'absent' && 'This server cannot be asked that yet.') || trouble.message;

/* --- the answer */

const plural = (n, one, more = one + 's') => text.number(n) + ' ' + (n === 1 ? one : more);
const onDays = (days) => days.map((d) => text.day(d.day) + (d.count > 1 ? ' × ' + text.number(d.count) : '')).join(', ');
const COUNTS = {count: (n) => 'It has ' + plural(n, 'event'), days: (n) => 'It has ' + plural(n, 'day'), sum: (n) => 'The sum is ' + text.real(n)};

/* What the part looked at, and when time alone changes it. */
function facts(node) {
  const says = [];
  if (COUNTS[node.kind]) says.push(COUNTS[node.kind](node.count) + (node.days.length ? ': ' + onDays(node.days) : ''));
  if (node.kind === 'first' && node.days.length) says.push('Seen on ' + onDays(node.days));
  if (node.kind === 'then') says.push('The first: ' + (onDays(node.first) || 'never') + '; the second: ' + (onDays(node.then) || 'never'));
  if (node.value !== undefined) says.push(node.value === null ? 'Not known' : ['It is ', name(node.value), node.since ? ' since ' + text.day(node.since) : '']);
  if (node.flips) says.push((node.true ? 'Ends on ' : 'Comes true by itself on ') + text.dayLong(node.flips));
  return says.map((one, i) => [i ? ' · ' : '', one]);
}

const mark = (holds) => badge(holds ? '✓ so' : '✗ not so', holds ? 'good' : 'bad');
const JOINED = {and: 'all of these', or: 'at least one of these'};
/* What a part is made of. A segment shows the condition of the other one, a “not” what it denies. */
function inside(node) {
  if (JOINED[node.kind]) return node.parts;
  const [of] = node.kind === 'segment' || node.kind === 'not' ? node.parts : [];
  return of ? (JOINED[of.kind] && node.kind === 'segment' ? of.parts : [of]) : [];
}

/* "not purchase" says itself all that the part in it would say. */
function part(node) {
  const within = inside(node), plain = node.kind === 'not' && !within[0].parts, told = facts(plain ? {...within[0], true: node.true, flips: node.flips} : node);
  return el('li', {'data-part': node.text, 'data-holds': String(node.true)}, mark(node.true),
    el('div', {class: 'grow'}, el('p', {dir: 'auto', text: node.words || JOINED[node.kind]}), told.length > 0 && el('p', {class: 'fine'}, told), within.length > 0 && !plain && list(within)));
}
const list = (parts) => el('ul', {class: 'clauses'}, parts.map(part));

/* The name that people gave; the id stands in the title, for two may have one name. */
const categoryOf = (s) => el('span', {title: s.category}, name(s.name || s.category));

const STEPS = {
  events: (s) => [plural(s.count, 'more event'), ' of ', categoryOf(s), ' today'],
  days: (s) => ['events of ', categoryOf(s), ' on ', plural(s.count, 'more day')],
  value: (s) => [categoryOf(s), ' worth ', text.real(s.value), ' more'],
  wait: (s) => ['wait until ', text.dayLong(s.until)],
  fact: (s) => [el('code', {dir: 'ltr', text: s.fact}), s.wanted ? ' would have to be so' : ' would have to be not so'],
};

function change(told) {
  if (!told.possible) return el('p', {'data-change': 'none', text: 'Nothing that this browser does, and no waiting, brings it in.'});
  const all = told.steps.length > 1 ? 'all of this' : 'this';
  return el('div', {'data-change': told.sure ? 'sure' : 'needed'}, el('p', {text: told.sure ? `It would be in after ${all}:` : 'At least this is needed, and may not be enough:'}),
    el('ul', {class: 'way-in'}, told.steps.map((s) => el('li', null, STEPS[s.action]?.(s) || s.words))));
}

/* The parts behind the verdict are not read aloud by themselves: they are a list to walk through. */
function verdict(told, s) {
  const parts = JOINED[told.tree.kind] ? told.tree.parts : [told.tree], so = parts.filter((p) => p.true).length;
  return el('p', {class: 'verdict', 'data-in': String(told.in)}, badge(told.in ? '✓ in' : '✗ not in', told.in ? 'good' : 'bad'), ' ',
    told.in ? 'This browser is in ' : 'This browser is not in ', name(s.name || s.id), '. ',
    parts.length > 1 && `${text.number(so)} of the ${text.number(parts.length)} parts of the condition ${so === 1 ? 'is' : 'are'} so. `,
    told.in && told.until && 'It leaves on ' + text.dayLong(told.until) + ', if nothing more is seen.');
}

function details(told) {
  const joined = JOINED[told.tree.kind];
  return [told.state !== 'active' && el('p', {class: 'note', text: 'The segment is ' + told.state + ': it is handed to nobody, whoever is in.'}),
    el('h3', {text: told.in ? 'Why' : 'Why not'}), el('p', {class: 'fine', text: 'It asks for visitors who ' + (joined ? `meet ${joined}:` : '…')}), list(joined ? told.tree.parts : [told.tree]),
    !told.in && [el('h3', {text: 'What would bring it in'}), change(told.change)],
    told.in && [el('h3', {text: 'What would take it out'}), el('p', {'data-change': 'out', text: told.until ? 'Time alone, unless more is seen; or something that makes a part that is needed not so.' : 'No waiting; only something that makes a part that is needed not so.'})]].flat(Infinity).filter(Boolean);
}

/* --- the card */

function form(view, s) {
  const says = el('div', {role: 'status', 'aria-live': 'polite', 'aria-atomic': 'true', id: 'explain-says'}), more = el('div', {'data-why': ''}), button = el('button', {class: 'primary', text: 'Look'});
  const input = el('input', {id: 'explain-who', type: 'text', required: true, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', maxlength: '200', 'aria-describedby': 'explain-where'});
  const wipe = () => {
    says.replaceChildren();
    more.replaceChildren();
    input.removeAttribute('aria-invalid');
  };
  const forget = () => {
    input.value = '';
    wipe();
  };
  const failed = (words) => {
    says.replaceChildren(el('p', {class: 'note', 'data-says': '', dir: 'auto', text: words}));
    input.setAttribute('aria-invalid', 'true');
    input.focus();
  };
  let turn = 0;
  const look = async (e) => {
    e.preventDefault();
    const mine = ++turn, asked = JSON.stringify({segment: s.id, ...named(input.value)});
    wipe();
    try {
      const told = await post('/v1/ask/explain', asked, {signal: view.signal, type: 'application/json'});
      if (mine !== turn) return;
      says.replaceChildren(verdict(told, s));
      more.replaceChildren(...details(told));
    } catch (trouble) {
      if (trouble.name !== 'AbortError' && mine === turn) failed(why(trouble));
    }
  };
  // another browser: what was said of the one before goes, also what is still to come
  input.addEventListener('input', () => { turn++; wipe(); });
  view.signal.addEventListener('abort', forget);
  addEventListener('pagehide', forget, {signal: view.signal});
  return [el('form', {class: 'explain-form', autocomplete: 'off', onsubmit: look}, el('label', {for: 'explain-who', text: 'Value of its cookie “crumb”, or a visitor’s key'}), el('div', {class: 'tools'}, input, button),
    el('p', {class: 'fine', id: 'explain-where'}, 'In that browser, open the page ', el('code', {text: '/me'}), ' of the address that the tag sends to; the value stands in the developer tools: Application › Cookies › crumb. It is asked once and kept nowhere; that you looked stands in the history.')), says, more];
}

const assistant = (view) => (view.may('marketer') ? el('a', {href: '#/live', text: 'tag assistant'}) : 'tag assistant');

/* The card of segment `s` for who is signed in. */
export function browserCard(view, s, into) {
  const body = !view.may('operator') ? el('p', null, 'Whether one browser is in, and why, is for an operator to look up. What a page sends, and which segments it changes, a marketer sees with the ', assistant(view), '.')
    : s.kind === 'lookalike' ? el('p', null, 'A model decides who is in, not a condition: ', el('code', {dir: 'ltr', text: `crumb lookalike explain ${s.id} --cookie VALUE`}), ' says what speaks for and against.')
      : form(view, s);
  into.append(el('section', {class: 'panel card', 'data-panel': 'explain', 'aria-label': 'Is a browser in?'}, el('div', {class: 'panel-head'}, el('h2', {text: 'Is a browser in?'})), el('div', {class: 'panel-body'}, body)));
}
