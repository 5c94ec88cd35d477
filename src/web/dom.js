/* Elements and texts. Nothing here, nor anywhere else in the dashboard, makes HTML of data: names are text. */

const SVG = 'http://www.w3.org/2000/svg';

/* Long lists make twenty thousand nodes: nothing is built here that is only looked through. */
function add(node, child) {
  if (child === null || child === undefined || child === false) return;
  if (Array.isArray(child)) for (const one of child) add(node, one);
  else node.append(child);
}

/* Gives a node properties and children, as el does. */
export function fill(node, props, ...children) {
  for (const key in props) {
    const value = props[key];
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'text') node.textContent = value;
    else if (key === 'class' && node instanceof HTMLElement) node.className = value;
    else if (key === 'vars') for (const [name, v] of Object.entries(value)) node.style.setProperty('--' + name, v);
    else if (key in node && typeof value !== 'string' && !(node instanceof SVGElement)) node[key] = value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  add(node, children);
  return node;
}

/* el('a', {href: '#/', class: 'x', onclick: f, vars: {part: 0.5}}, 'text', child, [more]): children that are null or false are left out. */
export function el(tag, props, ...children) {
  return fill(document.createElement(tag), props, ...children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, ...children);
}

const LONG = 60; // characters: longer names are cut to two lines in tables

/* A name that people gave: any script, any length. */
export function name(text) {
  return el('bdi', {dir: 'auto', class: String(text).length > LONG ? 'name long' : 'name', text});
}

/* --- numbers and times, as this browser's language writes them */

const language = navigator.language || 'en';
const whole = new Intl.NumberFormat(language, {maximumFractionDigits: 0});
const shorter = new Intl.NumberFormat(language, {notation: 'compact', maximumFractionDigits: 1});
const change = new Intl.NumberFormat(language, {maximumFractionDigits: 0, signDisplay: 'exceptZero'});
const part = new Intl.NumberFormat(language, {style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1});
const partChange = new Intl.NumberFormat(language, {style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'exceptZero'});
const real = new Intl.NumberFormat(language, {maximumFractionDigits: 2});
const dayShort = new Intl.DateTimeFormat(language, {day: 'numeric', month: 'short', timeZone: 'UTC'});
const dayLong = new Intl.DateTimeFormat(language, {weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC'});
const moment = new Intl.DateTimeFormat(language, {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit'});

export const text = {
  number: (n) => whole.format(n),
  short: (n) => shorter.format(n),
  change: (n) => change.format(n),
  percent: (x) => part.format(x),
  percentChange: (x) => partChange.format(x),
  real: (x) => real.format(x),
  day: (d) => dayShort.format(new Date(d + 'T00:00Z')),
  dayLong: (d) => dayLong.format(new Date(d + 'T00:00Z')),
  time: (t) => moment.format(new Date(t * 1000)),
  seconds: (s) => (s < 1 ? real.format(s) + ' s' : s < 120 ? whole.format(s) + ' s' : whole.format(s / 60) + ' min'),
  bytes: (b) => { let i = 0; while (b >= 1000 && i < 4) { b /= 1000; i++; } return real.format(b) + ' ' + ['B', 'kB', 'MB', 'GB', 'TB'][i]; },
};

/* Said to readers of the screen. */
export function speak(words) {
  document.getElementById('spoken').textContent = words;
}
