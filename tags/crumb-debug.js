/* crumb's tag assistant, the page's side. The tag loads it when the page's address ends in #crumb-debug, and in a tab that shows its code already.
 *
 *     asks       "show what crumb receives from this tab?"      nothing happens without a click
 *     shows      K7Q-3MH-W2X, minutes left, hits sent, End      the tag's hits carry the code
 *     ended      by the button, or after 15 minutes             the code is forgotten
 *
 * Whoever types the code in crumb's dashboard sees what becomes of these hits. The page itself is told nothing: not whether somebody has typed it, nor
 * what the server made of a hit. The code is random, made here, and stands in the tab's sessionStorage until it ends. It is read from nowhere else.
 *
 * A tab that was duplicated has a copy of that storage, and nobody has clicked in it: the first tab answers that the code is its own, and the copy
 * forgets it. Until that is known (ASK_MS) hits wait.
 *
 * Styles are set by script, one by one, because a page's policy may forbid style elements. */
(function (w, d, n) {
  'use strict';
  var base = d.currentScript.src.replace(/\/crumb-debug\.js.*$/, '');
  var KEY = 'crumb-debug', MINUTES = 15, ASK_MS = 200, SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  var mine = null; /* {code, until} */
  var waiting = null, sent = 0, failed = 0, channel, panel, timer;

  /* --- the code */

  function read() {
    try {
      var kept = JSON.parse(w.sessionStorage.getItem(KEY));
      return kept && /^[0-9A-Z]{9}$/.test(kept.code) && kept.until > Date.now() && kept.until <= Date.now() + MINUTES * 60000 ? kept : null;
    } catch (e) {
      return null;
    }
  }

  function keep(what) {
    mine = what;
    try {
      if (what) w.sessionStorage.setItem(KEY, JSON.stringify(what));
      else w.sessionStorage.removeItem(KEY);
    } catch (e) { /* then it lasts as long as this page */ }
  }

  function fresh() {
    var bytes = w.crypto.getRandomValues(new Uint8Array(9)), code = '';
    for (var i = 0; i < 9; i++) code += SIGNS[bytes[i] & 31];
    return code;
  }

  function alive() {
    if (mine && mine.until <= Date.now()) end();
    return mine;
  }

  /* --- hits */

  /* By a request that names the page's origin, which the server looks at. */
  function post(event) {
    if (!w.fetch) return false;
    if (mine) event.live = mine.code;
    w.fetch(base + '/e', {method: 'POST', body: JSON.stringify(event), keepalive: true, credentials: 'include'}).then(function () { sent++; }, function () { failed++; }).then(draw);
    return true;
  }

  /* What the tag asks before it sends a hit: true, it was sent. */
  function live(event) {
    if (waiting) return waiting.push(event) > 0;
    return !!alive() && post(event);
  }

  function flush() {
    var all = waiting || [];
    waiting = null;
    all.forEach(post);
  }

  /* --- tabs */

  function listen() {
    if (!w.BroadcastChannel) return;
    channel = new BroadcastChannel(KEY);
    channel.onmessage = function (e) {
      var said = e.data || {};
      if (said.ask && mine && !waiting && said.ask === mine.code) channel.postMessage({taken: said.ask});
      if (said.taken && waiting && mine && said.taken === mine.code) keep(null);
    };
  }

  function begin() {
    mine = read();
    if (!mine) {
      keep(null);
      if (w.location.hash === '#crumb-debug') open();
      return;
    }
    if (!channel) return open();
    waiting = [];
    channel.postMessage({ask: mine.code});
    setTimeout(function () {
      flush();
      if (mine) open();
    }, ASK_MS);
  }

  function start() {
    sent = failed = 0;
    keep({code: fresh(), until: Date.now() + MINUTES * 60000});
    draw();
  }

  function end() {
    keep(null);
    draw('ended');
  }

  /* --- the panel */

  function add(to, name, style, text) {
    var e = d.createElement(name);
    e.style.cssText = style;
    if (text) e.textContent = text;
    to.appendChild(e);
    return e;
  }

  /* A click that a script makes is none. */
  function button(to, id, text, what) {
    var b = add(to, 'button', 'all:revert;font:inherit;margin:.5em .5em 0 0;padding:.4em .8em;border:1px solid #666;border-radius:4px;background:#fff;color:#111;cursor:pointer', text);
    b.type = 'button';
    b.id = id;
    b.addEventListener('click', function (e) { if (e.isTrusted) what(); });
  }

  function open() {
    if (panel) return;
    var host = d.createElement('div');
    host.id = KEY;
    host.style.cssText = 'all:initial;position:fixed;z-index:2147483647;right:12px;bottom:12px;max-width:calc(100vw - 24px)';
    panel = add(host.attachShadow({mode: 'open'}), 'section', 'box-sizing:border-box;width:20em;max-width:100%;padding:1em;border:1px solid #666;border-radius:6px;background:#fff;color:#111;font:14px/1.4 system-ui,sans-serif;text-align:left');
    panel.setAttribute('aria-label', 'crumb tag assistant');
    d.documentElement.appendChild(host);
    draw();
  }

  function close() {
    if (panel) panel.getRootNode().host.remove();
    clearInterval(timer);
    panel = null;
  }

  function refused() {
    try {
      return n.globalPrivacyControl === true || w.localStorage.getItem('crumb_optout') === '1';
    } catch (e) {
      return n.globalPrivacyControl === true;
    }
  }

  function left() {
    var s = Math.max(0, Math.round((mine.until - Date.now()) / 1000));
    return Math.floor(s / 60) + ':' + ('0' + s % 60).slice(-2) + ' minutes left. Hits sent: ' + sent +
      (failed ? '. Not sent, or this site is not listed with crumb: ' + failed : '');
  }

  function tick() {
    var line = panel && panel.querySelector('#left');
    if (alive() && line) line.textContent = left();
  }

  function draw(how) {
    if (!panel) return;
    var line = panel.querySelector('#left');
    if (mine && line && how !== 'ended') return tick();
    panel.textContent = '';
    add(panel, 'strong', 'display:block', 'crumb tag assistant');
    if (refused()) add(panel, 'p', 'margin:.5em 0 0', 'This browser has said no (Global Privacy Control or opt-out). The tag sends nothing.');
    clearInterval(timer);
    if (mine) {
      add(panel, 'p', 'margin:.5em 0 0', 'What crumb receives from this tab, and what it changes, is shown to whoever types this code:');
      add(panel, 'output', 'display:block;margin:.3em 0;font:600 24px/1.3 ui-monospace,monospace;letter-spacing:.05em', mine.code.replace(/(...)(?=.)/g, '$1-')).id = 'code';
      add(panel, 'p', 'margin:0', left()).id = 'left';
      button(panel, 'end', 'End', end);
      timer = setInterval(tick, 1000);
      return;
    }
    if (how === 'ended') add(panel, 'p', 'margin:.5em 0 0', 'It has ended. Nothing more of this tab is shown.').setAttribute('role', 'status');
    add(panel, 'p', 'margin:.5em 0 0', 'Show what crumb receives from this tab, and what it changes, to whoever types a code that appears here? For ' + MINUTES + ' minutes, or until you end it.');
    button(panel, 'show', 'Show a code', start);
    button(panel, 'close', 'Close', close);
  }

  if (w.top !== w) return; /* a frame has the storage of its tab, and nobody has clicked in it */
  w.crumb.live = live;
  listen();
  begin();
  w.addEventListener('hashchange', function () { if (w.location.hash === '#crumb-debug') open(); });
  w.addEventListener('pagehide', function () {
    if (waiting) mine = null; /* not known to be ours: they go without the code */
    flush();
    if (channel) channel.close();
    channel = null;
  });
  w.addEventListener('pageshow', function (e) {
    if (!e.persisted) return;
    listen();
    mine = read();
    if (mine) open();
    draw(mine ? '' : 'ended');
  });
})(window, document, navigator);
