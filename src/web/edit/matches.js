/* What belongs to a category, as forms: the entries of any, all and none. An entry has fields, all of which must match; a field has patterns, one a line, of
 * which one must match.
 *
 *     const m = matchesOf({row, changed: () => {}});
 *     place.append(m.node); m.lists();       {any: [{path: ['/coats/*', '/sale/*'], event: 'view'}], all: [], none: []}
 *     m.mark(problems, text)                 what is wrong stands at the field that it is about; the rest is handed back
 *
 * Problems have a line and a column of `text`, the file as it would be: a field is where one of its patterns, or its name, stands there. */
import {el} from '../dom.js';

const LISTS = [['any', 'One of these must match', 'Each entry is one way to belong to it.'], ['all', 'All of these must match, too', null], ['none', 'None of these may match', null]];
const FIELDS = [['event', 'event'], ['path', 'path of the page'], ['title', 'words of the title'], ['site', 'site, with all below it'], ['host', 'host'], ['url', 'whole address'], ['campaign', 'campaign'], ['referrer', 'came from'],
  ['country', 'country'], ['region', 'region'], ['device', 'kind of device'], ['os', 'operating system'], ['browser', 'browser'], ['attr.', 'attribute'], ['p.', 'parameter']];
const LIKE = {event: 'purchase', path: '/coats/*', title: 'winter coat', site: 'shop.example', host: '*.shop.example', url: '*gclid=*', campaign: 'spring*', referrer: 'search', country: 'DE', region: 'GB-ENG', device: 'mobile', os: 'ios', browser: 'firefox', 'attr.': '100..', 'p.': 're*'};

const lines = (text) => text.split('\n').map((l) => l.trim()).filter(Boolean);

/* --- one field */

function fieldOf({field, patterns}, {removed, changed}) {
  const prefix = FIELDS.map(([id]) => id).find((id) => id.endsWith('.') && field.startsWith(id)), kind = prefix || field;
  const known = FIELDS.some(([id]) => id === kind);
  const what = el('select', {'aria-label': 'Field', 'data-what': ''}, [...(known ? [] : [[kind, kind]]), ...FIELDS].map(([id, words]) => el('option', {value: id, text: words, selected: id === kind})));
  const of = el('input', {type: 'text', 'aria-label': 'Its name', placeholder: 'name', dir: 'ltr', spellcheck: 'false', autocomplete: 'off', value: prefix ? field.slice(prefix.length) : ''});
  const text = el('textarea', {'aria-label': 'Patterns, one a line', dir: 'ltr', spellcheck: 'false', rows: Math.max(1, patterns.length), 'data-patterns': ''});
  text.value = patterns.join('\n');
  const says = el('div', {class: 'match-says', role: 'status'});
  const show = () => {
    of.hidden = !what.value.endsWith('.');
    text.placeholder = LIKE[what.value] || '';
    text.rows = Math.max(1, text.value.split('\n').length);
  };
  what.addEventListener('change', show);
  text.addEventListener('input', show);
  show();
  const f = {
    node: el('li', {class: 'match-field'}, what, of, text, el('button', {type: 'button', class: 'quiet', 'aria-label': 'Remove this field', title: 'Remove this field', onclick: () => removed(f), text: '×'}), says),
    name: () => (what.value.endsWith('.') ? what.value + of.value.trim() : what.value),
    patterns: () => lines(text.value),
    focus: () => what.focus(),
    say(problems) {
      says.replaceChildren(...problems.map((p) => el('p', {class: p.severity === 'warning' ? 'match-warning' : 'match-error', dir: 'auto'}, p.message, p.hint && el('span', {class: 'under', dir: 'auto', text: p.hint}))));
      text.setAttribute('aria-invalid', String(problems.some((p) => p.severity !== 'warning')));
    },
  };
  f.node.addEventListener('input', changed);
  return f;
}

/* --- where a problem stands */

const decode = new TextDecoder(), encode = new TextEncoder();
const character = (line, column) => decode.decode(encode.encode(line).slice(0, Math.max(0, column - 1))).length;
/* A text as YAML may have it: as it is, in single quotes, in double quotes. */
const written = (word) => [word, word.replaceAll("'", "''"), JSON.stringify(word).slice(1, -1)];

/* How many characters of `word` lie around the place; 0: it is not there. */
function around(line, at, word) {
  let most = 0;
  for (const w of word ? written(word) : []) {
    for (let i = line.indexOf(w); i >= 0; i = line.indexOf(w, i + 1)) if (i - 1 <= at && at <= i + w.length) most = Math.max(most, w.length);
  }
  return most;
}

/* The lines of the category in a file, as [first, last]; its entry begins with a dash and ends where something stands no further in. */
export function linesOf(all, id) {
  const quoted = id.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), is = new RegExp(`\\bid\\s*:\\s*["']?${quoted}["']?\\s*(?:[,}#]|$)`);
  let section = '';
  for (let i = 0; i < all.length; i++) {
    section = /^(\w+)\s*:/.exec(all[i])?.[1] || section;
    if (section !== 'categories' || !is.test(all[i])) continue;
    let first = i;
    while (first > 0 && !/^\s*-/.test(all[first])) first--;
    const dash = all[first].search(/\S/);
    let last = i;
    while (last + 1 < all.length && (/^\s*(#|$)/.test(all[last + 1]) || all[last + 1].search(/\S/) > dash)) last++;
    return [first, last];
  }
  return null;
}

/* --- all of them */

export function matchesOf({row, changed}) {
  const made = Object.fromEntries(LISTS.map(([key]) => [key, []])), rooms = {};

  const every = () => LISTS.flatMap(([key]) => made[key].flatMap((e) => e.fields));

  function addField(entry, field, focus) {
    const f = fieldOf(field, {changed, removed: () => {
      entry.fields.splice(entry.fields.indexOf(f), 1);
      f.node.remove();
      if (entry.fields.length) entry.more.focus();
      else entry.gone();
      changed();
    }});
    entry.fields.push(f);
    entry.list.append(f.node);
    if (focus) f.focus();
  }

  function addEntry(key, clause, focus) {
    const list = el('ul', {class: 'match-fields'}), entry = {fields: [], list};
    entry.more = el('button', {type: 'button', class: 'quiet', text: '+ and also', onclick: () => addField(entry, {field: 'path', patterns: []}, true)});
    entry.node = el('li', {class: 'match-entry', 'data-entry': ''}, list, entry.more);
    entry.gone = () => {
      made[key].splice(made[key].indexOf(entry), 1);
      entry.node.remove();
      rooms[key].add.focus();
    };
    made[key].push(entry);
    rooms[key].list.append(entry.node);
    clause.fields.forEach((f) => addField(entry, f, false));
    if (focus) entry.fields[0].focus();
  }

  const node = el('div', {class: 'stack matches'}, LISTS.map(([key, words, help]) => {
    const list = el('ol', {class: 'match-list'});
    const add = el('button', {type: 'button', class: 'quiet', 'data-add-to': key, text: key === 'any' ? '+ Another way' : '+ Add one', onclick: () => addEntry(key, {fields: [{field: 'path', patterns: []}]}, true)});
    rooms[key] = {list, add};
    return el('fieldset', {class: 'field', 'data-list': key}, el('legend', {text: words}), help && el('p', {class: 'fine', text: help}), list, add);
  }));
  LISTS.forEach(([key]) => row[key].forEach((clause) => addEntry(key, clause, false)));

  const clauseOf = (entry) => Object.fromEntries(entry.fields.map((f) => { const p = f.patterns(); return [f.name(), p.length === 1 ? p[0] : p]; }));

  return {
    node,
    lists: () => Object.fromEntries(LISTS.map(([key]) => [key, made[key].map(clauseOf)])),
    /* Why this cannot be asked about yet; null: it can. */
    missing() {
      if (!made.any.length && !made.all.length) return 'Nothing says what belongs to it: it would match everything.';
      for (const entry of LISTS.flatMap(([key]) => made[key])) {
        const names = entry.fields.map((f) => f.name()), twice = names.find((n, i) => names.indexOf(n) !== i);
        if (twice) return `One entry has the field “${twice}” twice: put the patterns below each other, or make another entry.`;
        for (const f of entry.fields) {
          if (f.name().endsWith('.')) return 'An attribute or a parameter has no name yet.';
          if (!f.patterns().length) return `The field “${f.name()}” has nothing to match yet.`;
        }
      }
      return null;
    },
    mark(problems, text) {
      const all = text.split('\n'), range = linesOf(all, row.id), at = new Map(every().map((f) => [f, []])), rest = [];
      for (const p of problems) {
        if (!range || p.line - 1 < range[0] || p.line - 1 > range[1]) continue;
        const line = all[p.line - 1], where = character(line, p.column);
        let best = null, most = 0;
        for (const f of at.keys()) {
          for (const word of [...f.patterns(), f.name()]) {
            const n = around(line, where, word);
            if (n > most) [best, most] = [f, n];
          }
        }
        if (best) at.get(best).push(p);
        else rest.push(p);
      }
      for (const [f, list] of at) f.say(list);
      return rest;
    },
  };
}
