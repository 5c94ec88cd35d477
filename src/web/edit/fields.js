/* The fields of a segment beside its condition: id, name, destinations, owner, labels, alert, state.
 *
 *     const f = fieldsOf({row, destinations, fresh: true, taken: new Set(['coats']), changed});
 *     f.node; f.set();       what differs from `row`, as POST /v1/rules/edit wants it: null takes a key away */
import {el} from '../dom.js';

export const idFrom = (words) => words.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/ß/g, 'ss').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '').slice(0, 60);

export function field(label, control, help) {
  const id = control.id || (control.id = 'field-' + label.toLowerCase().replace(/\W+/g, '-'));
  if (help) control.setAttribute('aria-describedby', id + '-help');
  return el('div', {class: 'field'}, el('label', {for: id, text: label}), control, help && el('p', {class: 'fine', id: id + '-help', text: help}));
}

const input = (name, value, more) => el('input', {type: 'text', name, value: value ?? '', autocomplete: 'off', dir: 'auto', ...more});
const list = (text) => text.split(',').map((t) => t.trim()).filter(Boolean);

export function fieldsOf({row, destinations, fresh, taken, changed}) {
  const c = {
    id: input('id', row.id, {dir: 'ltr', spellcheck: 'false', required: true, readonly: !fresh}),
    name: input('name', row.name === row.id && !fresh ? '' : row.name, {placeholder: row.id && !fresh ? row.id : 'What people read'}),
    owner: input('owner', row.owner),
    labels: input('labels', (row.labels || []).join(', '), {placeholder: 'none'}),
    alert: input('alert', row.alert?.below ?? '', {inputmode: 'numeric', placeholder: 'never'}),
    state: el('select', {name: 'state'}, [['active', 'active'], ['paused', 'paused: counted, but handed to nobody']].map(([v, words]) => el('option', {value: v, text: words, selected: v === (row.state === 'paused' ? 'paused' : 'active')}))),
  };
  const was = fresh ? {name: '', owner: '', labels: '', alert: '', state: 'active', destinations: new Set()} : {name: c.name.value, owner: c.owner.value, labels: c.labels.value, alert: c.alert.value, state: c.state.value, destinations: new Set(row.destinations || [])};
  const goes = [...new Set(['page', ...destinations.map((d) => d.id), ...(row.destinations || [])])].map((id) => el('input', {type: 'checkbox', name: 'destination', value: id, checked: (row.destinations || []).includes(id)}));
  let touched = !fresh || !!row.id;
  c.id.addEventListener('input', () => { touched = true; });
  c.name.addEventListener('input', () => {
    if (!touched) c.id.value = idFrom(c.name.value);
  });
  const words = (id) => (id === 'page' ? 'the page itself' : id);
  const node = el('div', {class: 'fields', oninput: changed, onchange: changed},
    field('Name', c.name), field('Id', c.id, fresh ? 'Exports and pages use it. It stays as it is.' : null), field('Owner', c.owner, 'Whom to ask about it.'),
    el('fieldset', {class: 'field'}, el('legend', {text: 'Goes to'}), goes.map((g) => el('label', {class: 'check'}, g, el('bdi', {dir: 'auto', text: words(g.value)}))), el('p', {class: 'fine', text: 'With nothing ticked it is counted, and goes to no destination.'})),
    field('Labels', c.labels, 'Where its data comes from; a comma between.'), field('Alert below', c.alert, 'Say when it has fewer members.'), field('State', c.state));

  const set = () => {
    const out = {}, put = (key, now, before, value) => { if (now !== before) out[key] = value; };
    put('name', c.name.value.trim(), was.name, c.name.value.trim() || null);
    put('owner', c.owner.value.trim(), was.owner, c.owner.value.trim() || null);
    put('labels', c.labels.value, was.labels, list(c.labels.value).length ? list(c.labels.value) : null);
    put('alert', c.alert.value.trim(), String(was.alert), c.alert.value.trim() ? `size < ${c.alert.value.replace(/\D/g, '')}` : null);
    put('state', c.state.value, was.state, c.state.value === 'paused' ? 'paused' : null);
    const to = goes.filter((g) => g.checked).map((g) => g.value);
    if (to.length !== was.destinations.size || to.some((d) => !was.destinations.has(d))) out.destinations = to.length ? to : null;
    return fresh ? Object.fromEntries(Object.entries(out).filter(([, v]) => v !== null)) : out;
  };
  const missing = () => {
    const id = c.id.value.trim();
    if (!id) return 'It needs a name, or at least an id.';
    if (!/^[\p{L}\p{N}][\p{L}\p{N}_.\-]*$/u.test(id)) return 'An id is letters, digits, _ and -, without blanks.';
    if (fresh && taken.has(id)) return `There is a segment “${id}” already. Give this one another id.`;
    return null;
  };
  const fill = ({name, id}) => {
    c.name.value = name;
    c.id.value = id;
  };
  return {node, set, missing, fill, controls: c, id: () => c.id.value.trim()};
}
