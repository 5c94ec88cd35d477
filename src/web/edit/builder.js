/* Rows beside the text: each uppermost clause is a form. What is changed in a row changes only its words in the text; what is typed changes the rows.
 *
 *     const b = builder({words, replace: (from, to, text) => {}, text: () => '...'});
 *     place.append(b.node); b.read('coats and not purchase in 30d');
 *
 * A clause that no form fits is a row with its text. A text that is not clauses joined by `and` is no rows, and that is said. */
import {el, text as say} from '../dom.js';
import {withheldWords} from '../parts.js';
import {formOf, forms, read, tokens, write} from './clauses.js';
import {categoryOf, facts, factValues} from './vocabulary.js';

const OPS = [['>=', 'at least'], ['<=', 'at most'], ['=', 'exactly'], ['!=', 'not exactly'], ['>', 'more than'], ['<', 'fewer than']];
const EQUAL = [['=', 'is'], ['!=', 'is not'], ['in', 'is one of'], ['not in', 'is none of']];
const sizeOf = (r) => (r.size === null ? withheldWords(r.below) : say.number(r.size));

function menu(label, rows, now, change) {
  const known = rows.some(([v]) => v === (now ?? ''));
  return el('select', {'aria-label': label, onchange: (e) => change(e.target.value)}, [...(known || !now ? [] : [[now, now]]), ...rows].map(([v, words]) => el('option', {value: v, selected: v === (now ?? ''), text: words})));
}

/* What a kind of field looks like: f(words, now, change, fields, hint). */
const FIELDS = {
  category: (words, now, change) => menu('Category', words.categories.map((c) => [categoryOf(words, now) === c ? now : c.id, `${c.name} · ${sizeOf(c)}`]), now, change),
  segment: (words, now, change) => menu('Segment', words.segments.map((s) => [s.id, `${s.name} · ${sizeOf(s)}`]), now, change),
  attribute: (words, now, change) => (words.attributes.length ? menu('Attribute', words.attributes.map((a) => [a.id, a.name]), now, change) : el('input', {type: 'text', 'aria-label': 'Attribute', value: now || '', onchange: (e) => change(e.target.value.trim())})),
  fact: (_, now, change) => menu('Fact', facts.map((f) => [f, f]), now, change),
  op: (_, now, change) => menu('How many', [['', 'ever'], ...OPS], now, change),
  equal: (_, now, change) => menu('Comparison', EQUAL, now, change),
  compare: (_, now, change) => menu('Comparison', [...EQUAL, ['>=', 'at least'], ['<=', 'at most'], ['>', 'more than'], ['<', 'less than']], now, change),
  number: (_, now, change, f, hint) => el('label', null, el('input', {type: 'text', inputmode: 'decimal', class: 'short', 'aria-label': hint, value: now || '', onchange: (e) => change(e.target.value.replace(/[^\d.]/g, ''))}), ' ' + hint),
  days: (_, now, change) => el('label', null, 'in ', el('input', {type: 'text', inputmode: 'numeric', class: 'short', 'aria-label': 'In the last days', placeholder: 'all', value: now || '', onchange: (e) => change(e.target.value.replace(/\D/g, ''))}), ' days'),
  text: (_, now, change, f, hint) => el('input', {type: 'text', class: hint === 'clause' ? 'wide-field' : '', dir: 'ltr', 'aria-label': hint === 'clause' ? 'Clause as text' : 'Value', list: f.fact && factValues(f.fact).length ? 'values-' + f.fact : null, value: now || '', onchange: (e) => change(e.target.value.trim())}),
};

/* A text row that says "a or b" is one clause only in parentheses. */
function closed(text) {
  let depth = 0;
  for (const t of tokens(text)) {
    depth += t.text === '(' ? 1 : t.text === ')' ? -1 : 0;
    if (!depth && ['or', 'and'].includes(t.low) && !/\bbetween\b/i.test(text)) return '(' + text + ')';
  }
  return text;
}

/* What a value must look like in a condition: words with blanks are quoted. */
function valued(fields) {
  const bare = (v) => (/^["'].*["']$/.test(v) || /^[\p{L}\p{N}_.\-]+$/u.test(v) ? v : '"' + v.replaceAll('"', '') + '"');
  if (fields.value === undefined) return fields;
  const list = fields.op === 'in' || fields.op === 'not in';
  return {...fields, value: list ? fields.value.replace(/^\(|\)$/g, '').split(',').map((v) => bare(v.trim())).join(', ') : bare(fields.value)};
}

export function builder({words, replace, text, choose = (w) => w}) {
  const list = el('ol', {class: 'builder'}), said = el('p', {class: 'fine', role: 'status'}), node = el('div', {'data-builder': ''}, list, said);
  let rows = [];

  const put = (i, r) => {
    const was = rows[i], made = write({...r, fields: r.form === 'text' ? {text: closed(r.fields.text)} : valued(r.fields)});
    rows[i] = {...r, text: made};
    replace(was.from, was.to, made);
  };
  const take = (i) => {
    const from = i ? rows[i - 1].to : rows[i].from, to = i ? rows[i].to : rows[1] ? rows[1].from : rows[i].to;
    rows = [];
    replace(from, to, '');
    (list.querySelectorAll('.row-remove')[Math.max(0, i - 1)] || add).focus();
  };

  /* A first guess for a form's fields, from the fields of the form before. */
  const fresh = (form, old = {}) => {
    const w = words(), f = {...formOf(form).fresh}, has = (kind) => formOf(form).fields.some(([, k]) => k === kind);
    if (has('category')) f.category = old.category || choose(w.categories)[0]?.id || 'category';
    if (form === 'then') f.second = w.categories.find((c) => c.id !== f.category)?.id || 'category';
    if (has('segment')) f.segment = old.segment || w.segments[0]?.id || 'segment';
    if (has('attribute')) Object.assign(f, {attribute: w.attributes[0]?.id || 'name', value: 'value'});
    if (form === 'text') f.text = old.text || '';
    return f;
  };

  /* What changes a field of row i, as it is by then. */
  const change = (i, name, value) => {
    const r = rows[i], fields = {...r.fields, [name]: value}, counted = formOf(r.form).fields.some(([, k]) => k === 'number');
    if (name === 'op' && !value) delete fields.op, delete fields.n;
    if (name === 'op' && value && counted && !fields.n) fields.n = '1';
    if (name === 'n' && !value) delete fields.n, delete fields.op;
    if (name === 'days' && !value) delete fields.days;
    if (name === 'fact') fields.value = factValues(value)[0] || (value === 'country' ? 'DE' : 'value');
    put(i, {...r, fields});
  };

  function drawRow(r, i) {
    const form = formOf(r.form), last = forms.length - 1, order = [forms[last - 1], ...forms.slice(0, last - 1), forms[last]];
    const field = ([name, kind, hint]) => {
      const made = FIELDS[kind](words(), r.fields[name], (v) => change(i, name, v), r.fields, hint || name);
      (made.matches('label') ? made.querySelector('input') : made).dataset.field = name;
      return made;
    };
    return el('li', {'data-row': String(i), 'data-form': r.form, 'data-shape': shapeOf(r)},
      r.form === 'text' ? el('span', {class: 'row-joint', text: i ? 'and' : ''}) : menu('Must or must not', [['', 'must'], ['not', 'must not']], r.not ? 'not' : '', (v) => put(i, {...rows[i], not: v === 'not'})),
      menu('What', order.map((f) => [f.id, f.label]), r.form, (v) => put(i, {...rows[i], form: v, not: rows[i].not && v !== 'text', fields: v === 'text' ? {text: rows[i].text} : fresh(v, rows[i].fields)})),
      form.fields.filter(([, kind]) => kind !== 'number' || r.fields.op).map(field),
      el('button', {type: 'button', class: 'quiet row-remove', 'aria-label': 'Remove this clause', title: 'Remove this clause', onclick: () => take(i), text: '×'}));
  }

  const shapeOf = (r) => [r.form, r.not, r.fields.op ? 'op' : '', r.fields.fact || ''].join(' ');

  /* A row of the same shape gets its values and stays, so that the focus stays in it, and Tab finds the field behind. */
  function fits(item, r) {
    if (!item || item.dataset.shape !== shapeOf(r)) return false;
    for (const control of item.querySelectorAll('[data-field]')) {
      const now = r.fields[control.dataset.field] || '';
      if (control.value !== now) control.value = now;
      if (control.value !== now) return false;
    }
    return true;
  }

  function draw() {
    rows.forEach((r, i) => {
      const was = list.children[i];
      if (fits(was, r)) return;
      const label = was?.contains(document.activeElement) && document.activeElement.getAttribute('aria-label'), made = drawRow(r, i);
      if (was) was.replaceWith(made);
      else list.append(made);
      if (label) [...made.querySelectorAll('[aria-label]')].find((e) => e.getAttribute('aria-label') === label)?.focus();
    });
    while (list.children.length > rows.length) list.lastChild.remove();
  }

  const add = el('button', {type: 'button', class: 'quiet', 'data-add': '', text: '+ Add a clause', onclick: () => {
    const whole = text(), made = write({form: 'did', not: false, fields: fresh('did')}), at = rows.length ? rows.at(-1).to : whole.length;
    replace(rows.length ? at : 0, rows.length ? at : whole.length, (rows.length ? ' and ' : '') + made);
    list.lastElementChild?.querySelector('select:nth-of-type(2)')?.focus();
  }});
  node.append(add, ...facts.filter((f) => factValues(f).length).map((f) => el('datalist', {id: 'values-' + f}, factValues(f).map((v) => el('option', {value: v})))));

  return {node, read(t) {
    const found = read(t);
    rows = found.rows;
    list.hidden = add.hidden = !!found.why;
    said.textContent = found.why ? 'Not shown as rows. ' + found.why : rows.some((r) => r.form === 'text') ? 'A clause that no form fits is shown as text.' : '';
    said.hidden = !said.textContent;
    draw();
  }};
}
