/* crumb's page tag. Put it on every page:
 *
 *     <script async src="https://crumb.example/crumb.js"></script>
 *
 * It sends a page view (URL, referrer, title), again on each navigation of a single-page application, and whatever the
 * page tells it:
 *
 *     crumb('event', 'add_to_cart', {department: 'coats'});   name, attributes; `value` is the number behind it
 *     crumb('view');                                          a page view by hand
 *     crumb('segments', function (ids) { … });                this browser's segments; behind it {fresh: true} waits
 *                                                             until everything this browser has sent is counted
 *     crumb('optout');  crumb('optin');
 *
 * Calls made before the tag has loaded are kept by this stub, which tag managers may put first:
 *
 *     window.crumb = window.crumb || function () { (crumb.q = crumb.q || []).push(arguments); };
 *
 * data-auto="no" on the script element sends no page views by itself; data-spa="no" none on navigation;
 * data-endpoint="https://…" sends to another host than the script came from. With Global Privacy Control or after
 * crumb('optout') nothing is sent. No cookie is read or written here: the server's cookie is out of reach of scripts. */
(function (w, d, n) {
  'use strict';
  var me = d.currentScript || d.querySelector('script[src*="crumb.js"]');
  var data = (me && me.dataset) || {};
  var base = data.endpoint || (me ? me.src.replace(/\/crumb\.js.*$/, '') : '');
  var KEY = 'crumb_optout';
  var last, from;

  function refused() {
    try {
      return n.globalPrivacyControl === true || w.localStorage.getItem(KEY) === '1';
    } catch (e) {
      return n.globalPrivacyControl === true; /* storage may be closed to us */
    }
  }

  function image(event) {
    var query = [];
    for (var k in event) query.push(encodeURIComponent(k) + '=' + encodeURIComponent(event[k]));
    new Image().src = base + '/p.gif?' + query.join('&');
  }

  function send(event) {
    if (refused() || !base) return;
    var body = JSON.stringify(event);
    try {
      /* a string goes as text/plain: with cookies, without preflight */
      if (n.sendBeacon && n.sendBeacon(base + '/e', body)) return;
    } catch (e) { /* blocked: the next way */ }
    try {
      w.fetch(base + '/e', {method: 'POST', body: body, keepalive: true, credentials: 'include', mode: 'no-cors'}).catch(function () { image(event); });
    } catch (e) {
      image(event);
    }
  }

  function view() {
    var url = w.location.href;
    send({e: 'view', u: url, r: from === undefined ? d.referrer : from, t: d.title});
    last = url.split('#')[0];
    from = url;
  }

  function event(name, attributes) {
    var out = {e: String(name || 'other'), u: w.location.href, t: d.title};
    for (var k in attributes || {}) {
      if (k === 'value') out.v = Number(attributes[k]);
      else if (k.slice(0, 2) === 'p_') out[k] = String(attributes[k]);
      else out['a.' + k] = String(attributes[k]);
    }
    send(out);
  }

  function segments(then, how) {
    if (refused()) return then([]);
    w.fetch(base + '/segments' + (how && how.fresh ? '?fresh=1' : ''), {credentials: 'include'})
      .then(function (r) { return r.json(); })
      .then(function (j) { then(j.segments || []); })
      .catch(function () { then([]); });
  }

  function optout(yes) {
    try {
      if (yes) w.localStorage.setItem(KEY, '1');
      else w.localStorage.removeItem(KEY);
    } catch (e) { /* then only the server's cookie remembers */ }
    if (yes) new Image().src = base + '/optout';
    else w.fetch(base + '/optin', {method: 'POST', credentials: 'include', mode: 'no-cors'}).catch(function () {});
  }

  function run(args) {
    var a = Array.prototype.slice.call(args);
    if (a[0] === 'event') event(a[1], a[2]);
    else if (a[0] === 'view') view();
    else if (a[0] === 'segments') segments(a[1], a[2]);
    else if (a[0] === 'optout') optout(true);
    else if (a[0] === 'optin') optout(false);
  }

  function navigated() {
    /* after the page has had its turn to set the title */
    setTimeout(function () {
      if (w.location.href.split('#')[0] !== last) view();
    }, 0);
  }

  function watch(name) {
    var old = w.history[name];
    w.history[name] = function () {
      var result = old.apply(this, arguments);
      navigated();
      return result;
    };
  }

  if (w.crumb && w.crumb.loaded) return; /* the tag is on the page twice */
  var queue = (w.crumb && w.crumb.q) || [];
  w.crumb = function () { run(arguments); };
  w.crumb.loaded = true;
  if (data.auto !== 'no') {
    view();
    if (data.spa !== 'no') {
      watch('pushState');
      watch('replaceState');
      w.addEventListener('popstate', navigated);
    }
  }
  for (var i = 0; i < queue.length; i++) run(queue[i]);
})(window, document, navigator);
