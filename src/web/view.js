/* What a screen is given: a place to draw in, the address, and panels that load by themselves.
 *
 *     export const title = 'Segments';
 *     export function show(view) {
 *       view.head('Segments', {about: 'who is in them', tools: [button]});
 *       view.panel({title: 'Sizes', load: (o) => get('/v1/segments', o), draw: (rows) => table(...)});
 *     }
 *
 * A panel shows that it loads (after a moment), then what `draw` makes, or why not, with a way to try again. The view is complete, body[data-ready], when
 * `show` has returned and all panels are through. `view.signal` is aborted when another view comes. */
import {el} from './dom.js';
import {empty, failed, loading} from './parts.js';
import {may} from './screens.js';

export class View {
  constructor({parts, query, who}) {
    Object.assign(this, {parts, query, who, ended: false, waits: []});
    this.abort = new AbortController();
    this.signal = this.abort.signal;
    this.root = el('div', {class: 'view'});
  }

  end() {
    this.ended = true;
    this.abort.abort();
  }

  title(words) {
    document.title = words + ' · crumb';
  }

  /* May who is signed in do what this role may? */
  may(role) {
    return may(role);
  }

  /* The heading, with what stands beside it. */
  head(heading, {about, tools, badges} = {}) {
    const node = el('header', {class: 'head'},
      el('div', {class: 'head-words'}, el('h1', null, heading, badges && el('span', {class: 'badges'}, badges)), about && el('p', {class: 'about'}, about)),
      tools && el('div', {class: 'tools'}, tools));
    this.root.append(node);
    return node;
  }

  /* Keeps something in the address without drawing anew: null takes it away. */
  keep(values) {
    for (const [key, value] of Object.entries(values)) {
      if (value === null || value === '' || value === undefined) this.query.delete(key);
      else this.query.set(key, value);
    }
    history.replaceState(null, '', this.link());
  }

  /* The address of this view, with other values. */
  link(values = {}) {
    const query = new URLSearchParams(this.query);
    for (const [key, value] of Object.entries(values)) value === null ? query.delete(key) : query.set(key, value);
    return '#/' + this.parts.map(encodeURIComponent).join('/') + (query.size ? '?' + query : '');
  }

  wait(promise) {
    this.waits.push(promise);
    return promise;
  }

  async settled() {
    for (let n = 0; n < this.waits.length; n++) await this.waits[n];
  }

  /* What `draw` made to be pressed stands beside the title, where there is one. */
  raise(node, body) {
    const head = node.querySelector(':scope > .panel-head'), made = body.querySelector(':scope > .tools.end');
    if (!head || !made) return;
    head.querySelector('.tools.end')?.remove();
    head.append(made);
  }

  /* A section that loads what it shows. `load({signal})` gives what `draw(data, panel)` makes a node of, or null for nothing. The options:
   *   title, about   words above        into    another place than the end of the view
   *   wide           without a card     tools   nodes beside the title      hide   kinds of trouble at which it is not there at all */
  panel({title, about, load, draw, into = this.root, wide, tools, hide = [], id}) {
    const body = el('div', {class: 'panel-body'}, loading());
    const node = el('section', {class: wide ? 'panel' : 'panel card', 'data-panel': id, 'aria-label': title},
      title && !wide && el('div', {class: 'panel-head'}, el('h2', {text: title}), tools && el('div', {class: 'tools'}, tools)), about && el('p', {class: 'about', text: about}), body);
    into.append(node);
    const fetchIt = async () => {
      body.replaceChildren(loading());
      try {
        const made = await draw(await load({signal: this.signal}), node);
        if (this.ended) return;
        body.replaceChildren(...[made].flat(Infinity).filter(Boolean));
        this.raise(node, body);
      } catch (e) {
        if (this.ended || e.name === 'AbortError') return;
        if (!e.kind) console.error(e);
        if (hide.includes(e.kind)) node.remove();
        else body.replaceChildren(failed(e, fetchIt));
      }
    };
    node.again = fetchIt;
    this.wait(fetchIt());
    return node;
  }

  /* A panel that asks when somebody wants it: for what takes the server long. `why` is [title, words]; the rest is as of panel(). */
  askedFor({why: [said, words], button, load, draw, ...rest}) {
    const panel = this.panel({...rest, load: async () => null, draw: () => empty(said, words, el('button', {type: 'button', onclick: () => ask(), text: button}))});
    const body = panel.querySelector('.panel-body');
    const ask = async () => {
      body.replaceChildren(loading());
      const made = await load({signal: this.signal}).then(draw, (problem) => (problem.kind ? failed(problem, ask) : ''));
      body.replaceChildren(...[made].flat(Infinity).filter(Boolean));
    };
    return panel;
  }
}
