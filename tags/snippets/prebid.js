/* crumb's segments as first-party data of Prebid.js, within the page's time budget. Put it behind Prebid.js, before the auction; CRUMB is where crumb
 * answers, and MS how long the page can wait for what it has sent itself a moment ago.
 *
 *     crumbForPrebid('https://crumb.example', 50, function () { pbjs.que.push(function () { pbjs.requestBids({…}); }); });
 *
 * Segments that have a row of IAB's Audience Taxonomy go with segtax 4, from which Prebid also fills Google's publisher provided signals. */
function crumbForPrebid(CRUMB, MS, done) {
  'use strict';
  var over = false;
  function end() {
    if (over) return;
    over = true;
    done();
  }
  setTimeout(end, MS + 100); /* whatever happens, the auction starts */
  window.pbjs = window.pbjs || {};
  window.pbjs.que = window.pbjs.que || [];
  fetch(CRUMB + '/segments?format=ortb2&fresh=1&wait=' + MS, {credentials: 'include'})
    .then(function (r) { return r.json(); })
    .then(function (ortb2) {
      var data = ortb2.user.data.filter(function (d) { return d.segment.length; });
      if (!data.length || over) return end();
      window.pbjs.que.push(function () {
        var before = window.pbjs.getConfig('ortb2') || {}, user = before.user || {};
        window.pbjs.mergeConfig({ortb2: {user: Object.assign({}, user, {data: data})}});
        end();
      });
    })
    .catch(end);
}
