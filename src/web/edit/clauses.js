/* A condition as rows: its uppermost clauses, each as a form with fields, as far as it has that shape.
 *
 *     read('outerwear >= 3 in 14d and not purchase in 30d')
 *       {rows: [{from: 0, to: 21, text: 'outerwear >= 3 in 14d', not: false, form: 'did', fields: {category: 'outerwear', op: '>=', n: '3', days: '14'}},
 *               {from: 26, ..., not: true, form: 'did', fields: {category: 'purchase', days: '30'}}], why: null}
 *
 * `why` says why the whole cannot be shown as rows. A clause that no form fits is a row of the form 'text'. What is right and wrong is the server's to say:
 * a text that is shown here as rows may still be refused. */

const WORD = '[\\p{L}\\p{N}_.\\-\\u0080-\\uffff]+';
const TOKENS = new RegExp(`"[^"]*"?|'[^']*'?|${WORD}|[<>=!]+|[(),]|\\S`, 'gu');

export function tokens(text) {
  return [...text.matchAll(TOKENS)].map((m) => ({text: m[0], low: m[0].toLowerCase(), from: m.index, to: m.index + m[0].length}));
}

/* Clauses between the `and`s outside of parentheses; the one of `between 2 and 5` is none of them. */
function cut(list) {
  const clauses = [[]];
  let depth = 0, between = false, why = null;
  for (const t of list) {
    depth += t.text === '(' ? 1 : t.text === ')' ? -1 : 0;
    if (!depth && t.low === 'or') why = 'Alternatives (or) stand side by side here. Rows are joined by “and”: put the alternatives in parentheses, and they are one row.';
    if (!depth && t.low === 'and' && !between) clauses.push([]);
    else clauses[clauses.length - 1].push(t);
    between = t.low === 'between' || (between && t.low !== 'and');
  }
  return {clauses, why: depth ? 'A parenthesis is open.' : why};
}

const D = '(?: in (?<days>\\d+)d)?', OP = '(?<op>>=|<=|!=|=|>|<)', N = '(?<n>[\\d.]+)';
const HOW = `(?: ${OP} ${N})?`, ID = (name) => `(?<${name}>${WORD})`;
const SPAN = ' within (?<days>\\d+)d';
const VALUE = '(?<value>"[^"]*"|\'[^\']*\'|' + WORD + ')', LIST = '\\((?<list>[^()]*)\\)';

const many = (f) => (f.n ? ` ${f.op || '>='} ${f.n}` : '');
const days = (f) => (f.days ? ` in ${f.days}d` : '');
const is = (f) => (f.op === 'in' || f.op === 'not in' ? ` ${f.op} (${f.value})` : ` ${f.op || '='} ${f.value}`);

/* The forms, in the order in which they are tried. `fields` are what a row shows, in order: [name, kind, words before it]. */
export const forms = [
  {id: 'visits', label: 'Came on days', like: `^visits${HOW}${D}$`, write: (f) => 'visits' + many(f) + days(f), fields: [['op', 'op'], ['n', 'number', 'days'], ['days', 'days']], fresh: {op: '>=', n: '4', days: '14'}},
  {id: 'segment', label: 'Is in the segment', like: `^segment ?\\( ?${ID('segment')} ?\\)$`, write: (f) => `segment(${f.segment})`, fields: [['segment', 'segment']], fresh: {}},
  {id: 'days', label: 'Did on different days', like: `^days ?\\( ?${ID('category')} ?\\)${HOW}${D}$`, write: (f) => `days(${f.category})` + many(f) + days(f), fields: [['category', 'category'], ['op', 'op'], ['n', 'number', 'days'], ['days', 'days']], fresh: {op: '>=', n: '3', days: '14'}},
  {id: 'last', label: 'Did lately', like: `^last ?\\( ?${ID('category')} ?\\)${SPAN}$`, write: (f) => `last(${f.category}) within ${f.days || 7}d`, fields: [['category', 'category'], ['days', 'days']], fresh: {days: '7'}},
  {id: 'first', label: 'Did for the first time', like: `^first ?\\( ?${ID('category')} ?\\)${SPAN}$`, write: (f) => `first(${f.category}) within ${f.days || 7}d`, fields: [['category', 'category'], ['days', 'days']], fresh: {days: '7'}},
  {id: 'sum', label: 'Values add up to', like: `^sum ?\\( ?v of ${ID('category')} ?\\) ${OP} ${N}${D}$`, write: (f) => `sum(v of ${f.category}) ${f.op || '>='} ${f.n || 100}` + days(f), fields: [['category', 'category'], ['op', 'op'], ['n', 'number', 'in all'], ['days', 'days']], fresh: {op: '>=', n: '100', days: '90'}},
  {id: 'then', label: 'Did one, then another', like: `^${ID('category')} then ${ID('second')}${SPAN}$`, write: (f) => `${f.category} then ${f.second} within ${f.days || 7}d`, fields: [['category', 'category'], ['second', 'category', 'then'], ['days', 'days']], fresh: {days: '7'}},
  {id: 'fact', label: 'Is known by', like: `^(?<fact>country|region|device|os|browser) (?:(?<op>=|!=) ${VALUE}|(?<in>not in|in) ${LIST})$`, write: (f) => f.fact + is(f), fields: [['fact', 'fact'], ['op', 'equal'], ['value', 'text', 'value']], fresh: {fact: 'device', op: '=', value: 'mobile'}},
  {id: 'attribute', label: 'Has the attribute', like: `^attr\\.(?<attribute>[\\p{L}\\p{N}_]+) (?:(?<op>>=|<=|!=|=|>|<) ${VALUE}|(?<in>not in|in) ${LIST})$`, write: (f) => `attr.${f.attribute}` + is(f), fields: [['attribute', 'attribute'], ['op', 'compare'], ['value', 'text', 'value']], fresh: {op: '=', value: ''}},
  {id: 'did', label: 'Did', like: `^(?!not |visits\\b)${ID('category')}${HOW}${D}$`, write: (f) => f.category + many(f) + days(f), fields: [['category', 'category'], ['op', 'op'], ['n', 'number', 'times'], ['days', 'days']], fresh: {op: '>=', n: '1', days: '30'}},
  {id: 'text', label: 'As text', like: '^.*$', write: (f) => f.text, fields: [['text', 'text', 'clause']], fresh: {text: ''}},
].map((f) => ({...f, like: new RegExp(f.like, 'isu')}));

export const formOf = (id) => forms.find((f) => f.id === id);

/* Words with one blank between, and none where signs need none. */
function plain(list) {
  return list.map((t) => t.text).join(' ').replace(/ ?([(),]) ?/g, '$1').replace(/,/g, ', ').replace(/(\b(?:in|and|or|not|of)|[=<>!]) ?\(/g, '$1 (').replace(/\)(?=[^\s),])/g, ') ');
}

function row(text, list) {
  const first = list[0], last = list[list.length - 1], not = first.low === 'not' && list.length > 1, body = not ? list.slice(1) : list;
  const words = plain(body), form = forms.find((f) => f.like.test(words)), m = form.like.exec(words);
  const fields = Object.fromEntries(Object.entries(m.groups || {}).filter(([, v]) => v !== undefined));
  if (fields.in) Object.assign(fields, {op: fields.in.toLowerCase(), value: (fields.list || '').trim()});
  const source = text.slice(first.from, last.to);
  if (form.id === 'text') Object.assign(fields, {text: source});
  return {from: first.from, to: last.to, text: source, not: not && form.id !== 'text', form: form.id, fields};
}

export function read(text) {
  const list = tokens(text);
  if (!list.length) return {rows: [], why: null};
  const {clauses, why} = cut(list);
  if (why) return {rows: [], why};
  if (clauses.some((c) => !c.length)) return {rows: [], why: 'A clause is still missing beside an “and”.'};
  return {rows: clauses.map((c) => row(text, c)), why: null};
}

export function write(r) {
  const form = formOf(r.form);
  return (r.not && r.form !== 'text' ? 'not ' : '') + form.write(r.fields);
}

/* The conditions after one, two, ... clauses; null where it cannot be cut. */
export function steps(text) {
  const {rows, why} = read(text);
  if (why) return null;
  return rows.map((r, i) => rows.slice(0, i + 1).map((x) => x.text).join(' and '));
}
