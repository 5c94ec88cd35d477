/* What a condition can name: categories and segments with their sizes, attributes, functions, facts; asked for once when an editor opens.
 *
 *     const words = await vocabulary(view);     words.categories[0] = {id, name, size, below, complete, kind: 'category'}
 *     complete(words, 'outer', 'not')           the rows that fit where 'outer' is being typed behind 'not', best first */
import {get, maybe} from '../api.js';
import {tellBelow} from '../parts.js';

const FACTS = {
  country: ['where they are, as two letters', []], region: ['region of a country: ENG, or GB-ENG', []],
  device: ['kind of device', ['desktop', 'mobile', 'tablet', 'tv', 'console', 'unknown']],
  os: ['operating system', ['windows', 'macos', 'ios', 'android', 'linux', 'chromeos', 'other', 'unknown']],
  browser: ['browser', ['chrome', 'safari', 'firefox', 'edge', 'opera', 'samsung', 'ie', 'other', 'unknown']],
};
export const facts = Object.keys(FACTS);
export const factValues = (fact) => FACTS[fact]?.[1] || [];

const FUNCTIONS = [['segment(', 'is in that segment'], ['days(', 'on so many different days'], ['last(', 'the last one was lately'], ['first(', 'the first one was lately'], ['sum(v of ', 'values add up to so much'], ['visits', 'active on so many days']];
const JOINTS = [['and', 'both'], ['or', 'at least one; and binds tighter'], ['in 14d', 'counted in the last 14 days'], ['in 30d', 'counted in the last 30 days'], ['>= 2', 'at least twice'], ['between 2 and 5', 'from 2 to 5 times'], ['then', 'and later'], ['within 7d', 'in the last 7 days, or so many days later']];

const small = (list, kind) => (Array.isArray(list) ? list : []).map((r) => ({kind, id: r.id, name: r.name || r.id, size: r.visitors ?? r.size ?? null, below: r.below, complete: r.complete}));

/* Attributes are declared in the rules. Their ids are all that is needed, so a line of the file says enough. */
async function attributes(o) {
  const files = await maybe(get('/v1/rules/files', o)), found = [];
  for (const f of files?.files || []) {
    const {text} = await get('/v1/rules/file', {...o, parameters: {name: f.name}});
    let inside = false;
    for (const line of text.split('\n')) {
      if (/^\S/.test(line)) inside = /^attributes\s*:/.test(line) || (inside && /^[-#]/.test(line));
      const m = inside && /^\s*-\s*\{?\s*id\s*:\s*["']?([\w\u0080-\uffff]+)/.exec(line);
      if (m) found.push({kind: 'attribute', id: m[1], name: m[1]});
    }
  }
  return found;
}

export async function vocabulary(view) {
  const o = {signal: view.signal};
  const [categories, segments, declared] = await Promise.all([get('/v1/categories', o), get('/v1/segments', o), attributes(o).catch((e) => { if (e.name === 'AbortError') throw e; return []; })]);
  [...categories, ...segments].forEach(tellBelow);
  return {categories: small(categories, 'category'), segments: small(segments, 'segment'), attributes: declared};
}

/* The category that a word means: in full, or by its last part if only one ends so. */
export function categoryOf(words, id) {
  const exact = words.categories.find((c) => c.id === id);
  if (exact) return exact;
  const ends = words.categories.filter((c) => c.id.endsWith('.' + id));
  return ends.length === 1 ? ends[0] : null;
}

const plain = (pairs, kind) => pairs.map(([id, name]) => ({kind, id, name}));

/* Which rows may stand behind the words before: {rows}. */
function fitting(words, before) {
  const [last, one, two] = [before.at(-1) || '', before.at(-2) || '', before.at(-3) || ''];
  if (last === '(' && one === 'segment') return words.segments;
  if (last === '(' && ['days', 'last', 'first'].includes(one)) return words.categories;
  if (last === 'of' || last === 'then') return words.categories;
  const fact = facts.find((f) => f === one && ['=', '!='].includes(last)) || facts.find((f) => before.includes(f) && (last === '(' || last === ',') && before.lastIndexOf(f) > before.lastIndexOf('and'));
  if (fact) return plain(factValues(fact).map((v) => [v, fact]), 'value');
  if (['', '(', 'and', 'or', 'not'].includes(last)) return [...words.categories, ...plain(FUNCTIONS, 'function'), ...words.segments.map((s) => ({...s, id: `segment(${s.id})`})), ...facts.map((f) => ({kind: 'fact', id: f, name: FACTS[f][0]})), ...words.attributes.map((a) => ({...a, id: 'attr.' + a.id})), ...(last === 'not' ? [] : plain([['not', 'it must not be so']], 'word'))];
  if (['in', 'within'].includes(last) && !facts.includes(one) && !one.startsWith('attr.')) return plain(['7d', '14d', '30d', '60d', '90d'].map((d) => [d, 'days']), 'word');
  if (/^[<>=!]+$/.test(last) || (last === 'between') || two === 'between') return [];
  return plain(JOINTS, 'word');
}

export function complete(words, typed, before) {
  const t = typed.toLocaleLowerCase(), rows = fitting(words, before.map((w) => w.toLowerCase()));
  const rank = (r) => {
    const id = r.id.toLocaleLowerCase(), name = (r.name || '').toLocaleLowerCase();
    return !t ? 1 : id.startsWith(t) ? 4 : id.includes('.' + t) || id.includes('(' + t) ? 3 : name.startsWith(t) ? 2.5 : name.includes(t) || id.includes(t) ? 2 : 0;
  };
  return rows.map((r, i) => [rank(r), i, r]).filter(([n, , r]) => n > 0 && r.id !== typed).sort((a, b) => b[0] - a[0] || a[1] - b[1]).slice(0, 60).map((x) => x[2]);
}
