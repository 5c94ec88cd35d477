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
 * A call that lacks something does nothing; none throws. Attributes are texts, numbers and truth values; anything else
 * (undefined, null, objects) is left out.
 *
 * Calls made before the tag has loaded are kept by this stub, which tag managers may put first:
 *
 *     window.crumb = window.crumb || function () { (crumb.q = crumb.q || []).push(arguments); };
 *
 * Options are attributes of the script element, or, where a tag manager strips those, calls before the tag has loaded:
 * data-spa="no" is crumb('set', {spa: 'no'}), which counts when both are there.
 *
 *     auto      no: sends no page views by itself                                      default yes
 *     spa       no: sends none on navigation                                           default yes
 *     hash      yes: #/coats/a and #!/coats/a are pages of a hash router; the server
 *               is told the path behind the #                                          default no: a fragment is no page
 *     back      yes: a page that is shown again from the back-forward cache is viewed
 *               again                                                                  default no
 *     query     keys, with commas, whose values make another page on navigation        default utm_campaign and what the server
 *               keeps of URLs (privacy.keep_query)
 *     sync      yes: partners of etc/destinations.yaml match their ids with this
 *               browser's, a few at a time, once consent is there                      default no
 *     endpoint  https://…: sends to another host than the script came from
 *
 * A page that is prerendered is viewed when it is shown, and never if it is not. A navigation that changes nothing which the
 * server keeps of a URL (a sort order, a page of a list) is no other page. With Global Privacy Control or after
 * crumb('optout') nothing is sent. Where the page has a consent platform (IAB's __tcfapi, __gpp, __uspapi; their stubs stand before this
 * tag), what it says goes along, and nothing is sent before it has spoken. No cookie is read or written here: the server's cookie is out of reach of scripts.
 *
 * #crumb-debug behind the page's address loads the tag assistant (crumb-debug.js), and so does a tab that shows its code already. */
(function (w, d, n) {
  'use strict';
  var me = d.currentScript || d.querySelector('script[src*="crumb.js"]');
  var KEPT = 'utm_campaign'; /* the server writes behind it what else it keeps */
  var KEY = 'crumb_optout';
  var options = {}, base, begun, last, from, signals = {}, held = [], pending = 0, assisted;

  function set(given) {
    for (var k in typeof given === 'string' ? {} : given) options[k] = given[k];
    base = String(options.endpoint || (me ? me.src.replace(/\/crumb\.js.*$/, '') : '')).replace(/\/+$/, '');
  }

  function on(name, otherwise) {
    return options[name] === undefined ? otherwise : !/^(no|false|0|off)$/i.test(options[name]);
  }

  function usable(v) {
    return typeof v === 'string' || typeof v === 'boolean' || (typeof v === 'number' && isFinite(v));
  }

  function here() {
    var route = on('hash') && /^#!?(\/.*)/.exec(w.location.hash);
    return route ? w.location.origin + route[1] : w.location.href;
  }

  /* What of a URL makes a page. */
  function page(url) {
    var parts = url.split('#')[0].split('?');
    var keys = (KEPT + ',' + options.query).toLowerCase().split(/[\s,]+/);
    return parts[0] + '?' + (parts[1] || '').split('&').filter(function (p) {
      return keys.indexOf(p.split('=')[0].toLowerCase()) >= 0;
    }).sort().join('&');
  }

  function stored(where, key) {
    try {
      return w[where][key];
    } catch (e) { /* storage may be closed to us */ }
  }

  function refused() {
    return n.globalPrivacyControl === true || stored('localStorage', KEY) === '1';
  }

  function query(of) {
    var pairs = [];
    for (var k in of) pairs.push(encodeURIComponent(k) + '=' + encodeURIComponent(of[k]));
    return pairs.join('&');
  }

  function load(url) {
    new Image().src = url;
  }

  /* What consent platforms have said goes along. */
  function signed(event) {
    for (var k in signals) if (usable(signals[k]) && signals[k] !== '') event[k] = signals[k];
    return event;
  }

  /* Something that hits wait for; its answer goes along with them. `pending` is the number of those that have not answered yet. */
  function answer() {
    var open = true;
    pending++;
    return function (heard) {
      for (var k in heard) signals[k] = heard[k];
      if (!open) return; /* a change of mind: goes along from now on */
      open = false;
      if (--pending) return;
      for (var i = 0, all = held.splice(0); i < all.length; i++) send(all[i]);
      if (on('sync')) sync();
    };
  }

  /* The tag assistant is a second file, for a tab that asks by this very fragment, or has said yes to it before. */
  function assist() {
    if (assisted || !base || (w.location.hash !== '#crumb-debug' && !stored('sessionStorage', 'crumb-debug'))) return;
    assisted = 1;
    var s = d.createElement('script');
    s.nonce = (me || s).nonce;
    s.src = base + '/crumb-debug.js';
    s.onload = s.onerror = answer().bind(0, {});
    d.documentElement.appendChild(s);
  }

  /* Asks the consent platforms that are there. */
  function consent() {
    if (typeof w.__tcfapi === 'function') {
      var tcf = answer();
      w.__tcfapi('addEventListener', 2, function (t, ok) {
        if (!ok || !t) tcf({gdpr: 1}); /* then a string is needed, and there is none */
        else if (t.eventStatus !== 'cmpuishown') tcf({gdpr: t.gdprApplies === false ? 0 : 1, gdpr_consent: t.tcString || ''});
      });
    }
    if (typeof w.__gpp === 'function') {
      var gpp = answer();
      w.__gpp('addEventListener', function (e, ok) {
        var p = e && e.pingData;
        if (ok === false) gpp({gpp: '-'}); /* cannot be read, which is a no */
        else if (p && p.signalStatus === 'ready') gpp({gpp: p.gppString || '', gpp_sid: (p.applicableSections || []).join(',')});
      });
    }
    if (typeof w.__uspapi === 'function') {
      var usp = answer();
      w.__uspapi('getUSPData', 1, function (u, ok) { usp(ok && u ? {us_privacy: u.uspString} : {}); });
    }
  }

  function send(event) {
    if (refused() || !base) return;
    if (pending) {
      held.push(event);
      return;
    }
    var body = JSON.stringify(signed(event));
    if (w.crumb.live && w.crumb.live(event)) return; /* the assistant has sent it */
    function image() {
      load(base + '/p.gif?' + query(event));
    }
    try {
      /* a string goes as text/plain: with cookies, without preflight */
      if (n.sendBeacon && n.sendBeacon(base + '/e', body)) return;
    } catch (e) { /* blocked: the next way */ }
    try {
      w.fetch(base + '/e', {method: 'POST', body: body, keepalive: true, credentials: 'include', mode: 'no-cors'}).catch(image);
    } catch (e) {
      image();
    }
  }

  function view() {
    var url = here();
    send({e: 'view', u: url, r: from === undefined ? d.referrer : from, t: d.title});
    last = page(url);
    from = url;
  }

  function event(name, attributes) {
    var out = {e: usable(name) && name ? String(name) : 'other', u: here(), t: d.title};
    for (var k in typeof attributes === 'object' ? attributes : {}) {
      var v = attributes[k];
      if (!usable(v)) continue;
      if (k !== 'value') out[k.slice(0, 2) === 'p_' ? k : 'a.' + k] = String(v);
      else if (/\d/.test(v) && isFinite(v)) out.v = Number(v);
    }
    send(out);
  }

  function ask(path) {
    return w.fetch(base + path, {credentials: 'include'}).then(function (r) { return r.json(); });
  }

  /* The page is told once, whatever happens; what its function throws is its own. */
  function segments(then, how) {
    function tell(ids) {
      if (typeof then === 'function') then(ids);
    }
    if (refused() || !base || !w.fetch) return tell([]);
    ask('/segments' + (how && how.fresh ? '?fresh=1' : ''))
      .then(function (j) { return j.segments || []; })
      .catch(function () { return []; })
      .then(tell);
  }

  /* What is due and may be is the server's to say. */
  function sync() {
    if (refused() || pending || !base || !w.fetch) return;
    ask('/sync?' + query(signed({})))
      .then(function (j) {
        (j.syncs || []).forEach(function (s) {
          if (s.type !== 'iframe') {
            load(s.url);
            return;
          }
          var f = d.createElement('iframe');
          f.src = s.url;
          f.style.display = 'none';
          f.sandbox = 'allow-scripts allow-same-origin';
          d.documentElement.appendChild(f);
        });
      })
      .catch(function () {});
  }

  function optout(yes) {
    try {
      if (yes) w.localStorage.setItem(KEY, '1');
      else w.localStorage.removeItem(KEY);
    } catch (e) { /* then only the server's cookie remembers */ }
    if (!base) return;
    if (yes) load(base + '/optout?format=gif');
    else w.fetch(base + '/optin', {method: 'POST', credentials: 'include'}).catch(function () {});
  }

  function run(a) {
    if (a[0] === 'event') event(a[1], a[2]);
    else if (a[0] === 'view') view();
    else if (a[0] === 'segments') segments(a[1], a[2]);
    else if (a[0] === 'optout') optout(true);
    else if (a[0] === 'optin') optout(false);
    else if (a[0] === 'set') set(a[1]);
  }

  /* What goes wrong is the page's own: it is told there, and nobody else is kept from anything. */
  function call(what, args) {
    try {
      what(args);
    } catch (e) {
      setTimeout(function () { throw e; }, 0);
    }
  }

  function navigated() {
    /* after the page has had its turn to set the title */
    setTimeout(function () {
      call(assist);
      if (page(here()) !== last) view();
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

  function begin() {
    begun = true;
    for (var i = 0; i < queue.length; i++) if (queue[i][0] === 'set') set(queue[i][1]);
    call(consent);
    call(assist);
    if (on('auto', true)) {
      view();
      if (on('spa', true)) {
        watch('pushState');
        watch('replaceState');
        w.addEventListener('popstate', navigated);
        w.addEventListener('hashchange', navigated);
      }
      if (on('back')) w.addEventListener('pageshow', function (e) { if (e.persisted) view(); });
    }
    if (on('sync')) sync();
    for (i = 0; i < queue.length; i++) call(run, queue[i]);
  }

  if (w.crumb && w.crumb.loaded) return; /* the tag is on the page twice */
  var queue = (w.crumb && w.crumb.q) || [];
  w.crumb = function () {
    if (begun) call(run, arguments);
    else queue.push(arguments);
  };
  w.crumb.loaded = true;
  set(me && me.dataset);
  if (d.prerendering) d.addEventListener('prerenderingchange', begin, {once: true});
  else begin();
})(window, document, navigator);
