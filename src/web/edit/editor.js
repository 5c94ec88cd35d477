/* The text of a condition: Debian's CodeMirror 5, loaded when the first editor opens, with completion and marks where the checker found something.
 *
 *     const e = await editor(place, {text, words, changed: (text) => {}, view});
 *     e.text(); e.set('coats'); e.replace(from, to, 'coats in 3d'); e.mark(problems);
 *
 * Places are counted in characters from 0. Problems are rows of the server's: line and column from 1, columns in bytes. Tab leaves the editor, as it leaves any field. */
import {el, name, text as say} from '../dom.js';
import {withheldWords} from '../parts.js';
import {tokens} from './clauses.js';
import {complete} from './vocabulary.js';

let library = null;

function sheet(href) {
  return new Promise((done, failed) => document.head.append(el('link', {rel: 'stylesheet', href, onload: done, onerror: () => failed(new Error(href + ' did not come'))})));
}

function language(CodeMirror) {
  CodeMirror.defineSimpleMode('condition', {start: [
    {regex: /"[^"]*"?|'[^']*'?/, token: 'string'},
    {regex: /(and|or|not|in|within|between|then|of)(?![\w.\-\u0080-\uffff])/i, token: 'keyword'},
    {regex: /(segment|days|last|first|sum)(?=\s*\()|visits(?![\w.\-])/i, token: 'builtin'},
    {regex: /(country|region|device|os|browser)(?=\s*(=|!=|in\b|not\b))|attr\.[\w\u0080-\uffff]+/i, token: 'attribute'},
    {regex: /\d+d?(?![\w.\-])/, token: 'number'},
    {regex: /[<>=!]+/, token: 'operator'},
    {regex: /[\w.\-\u0080-\uffff]+/, token: 'variable'},
  ]});
}

function loaded() {
  library ||= Promise.all([import('../lib/codemirror.js'), sheet(new URL('../lib/codemirror.css', import.meta.url).href)]).then(() => {
    language(globalThis.CodeMirror);
    return globalThis.CodeMirror;
  });
  library.catch(() => { library = null; });
  return library;
}

/* --- completion */

function hint(row) {
  const size = row.kind === 'category' || row.kind === 'segment' ? (row.size === null ? withheldWords(row.below) : say.number(row.size)) : row.kind;
  return {text: row.id, kind: row.kind, render: (node) => node.append(el('span', {class: 'hint-id', text: row.id}), row.name && row.name !== row.id ? el('span', {class: 'hint-name'}, name(row.name)) : '', el('span', {class: 'hint-size', text: size}))};
}

/* A word that is a beginning, up to the cursor, goes; what was chosen comes. A function's parenthesis is closed behind the cursor. */
function choose(cm, self, row) {
  const open = row.text.endsWith('(') || row.text.startsWith('sum(v of');
  cm.replaceRange(row.text + (open ? ')' : ''), self.from, self.to, 'complete');
  if (open) cm.setCursor({line: self.from.line, ch: self.from.ch + row.text.length});
}

function hints(CodeMirror, words) {
  return (cm) => {
    const cursor = cm.getCursor(), whole = cm.getRange({line: 0, ch: 0}, cursor), typed = /[\p{L}\p{N}_.\-]*$/u.exec(whole)[0];
    const before = tokens(whole.slice(0, whole.length - typed.length)).map((t) => t.text);
    const list = complete(words(), typed, before).map(hint).map((h) => ({...h, hint: choose}));
    return {list, from: CodeMirror.Pos(cursor.line, cursor.ch - typed.length), to: cursor};
  };
}

/* --- marks */

const decode = new TextDecoder(), encode = new TextEncoder();

/* Where a problem stands: the word at its column. */
function place(cm, p) {
  const line = Math.min(Math.max((p.line || 1) - 1, 0), cm.lastLine()), of = cm.getLine(line);
  const ch = Math.min(decode.decode(encode.encode(of).slice(0, Math.max(0, (p.column || 1) - 1))).length, of.length);
  const word = tokens(of).find((t) => t.from <= ch && t.to > ch), last = tokens(of).at(-1);
  if (word) return [{line, ch: word.from}, {line, ch: word.to}];
  return last ? [{line, ch: last.from}, {line, ch: last.to}] : [{line, ch: 0}, {line, ch: of.length}];
}

export async function editor(into, {text, words, changed, view, label = 'Condition'}) {
  const CodeMirror = await loaded();
  if (view.ended) return null;
  const opens = hints(CodeMirror, words);
  // what is selected is replaced, as in every field, and not put into brackets
  const over = (pair) => (editor) => {
    if (!editor.somethingSelected()) return CodeMirror.Pass;
    editor.replaceSelection(pair);
    editor.execCommand('goCharLeft');
    return undefined;
  };
  const cm = CodeMirror(into, {value: text, mode: 'condition', theme: 'crumb', lineWrapping: true, matchBrackets: true, autoCloseBrackets: '()""', screenReaderLabel: label, viewportMargin: Infinity, direction: 'ltr',
    extraKeys: {"'('": over('()'), "'\"'": over('""'), Tab: false, 'Shift-Tab': false, 'Ctrl-Space': () => cm.showHint({hint: opens, completeSingle: false})}});
  cm.getInputField().setAttribute('aria-describedby', 'condition-help');
  cm.getInputField().setAttribute('aria-multiline', 'true');
  let marks = [];
  const open = () => { if (!view.ended && cm.hasFocus()) cm.showHint({hint: opens, completeSingle: false, closeCharacters: /[\s()[\]{};>,=]/}); };
  cm.on('change', (_, change) => {
    changed(cm.getValue());
    // behind a parenthesis begins another list; what puts in the pair is no key that is read
    if (/\($|^\(\)$/.test(change.text.join('')) && !['setValue', 'builder', 'complete'].includes(change.origin)) setTimeout(open);
  });
  cm.on('inputRead', (_, change) => {
    if (!cm.state.completionActive && /[\p{L}_.]$/u.test(change.text.join(''))) open();
  });
  setTimeout(() => { if (!view.ended) cm.refresh(); });
  return {
    cm,
    text: () => cm.getValue(),
    set: (t) => cm.setValue(t),
    focus: () => cm.focus(),
    replace: (from, to, t) => cm.replaceRange(t, cm.posFromIndex(from), cm.posFromIndex(to), 'builder'),
    mark(problems) {
      marks.forEach((m) => m.clear());
      marks = problems.map((p) => cm.markText(...place(cm, p), {className: p.severity === 'warning' ? 'mark-warning' : 'mark-error', attributes: {title: p.message}}));
      cm.getInputField().setAttribute('aria-invalid', String(problems.some((p) => p.severity !== 'warning')));
    },
  };
}
