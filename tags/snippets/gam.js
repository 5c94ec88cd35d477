/* crumb's segments for Google Ad Manager: as publisher provided signals (IAB's taxonomy, no id leaves the page) and as key-values.
 *
 *     crumbForGam('https://crumb.example', 50, function () { googletag.cmd.push(function () { googletag.pubads().refresh(); }); });
 *
 * Call googletag.pubads().disableInitialLoad() before, so that no request goes out without them. */
function crumbForGam(CRUMB, MS, done) {
  'use strict';
  var over = false;
  function end() {
    if (over) return;
    over = true;
    done();
  }
  function ask(form) {
    return fetch(CRUMB + '/segments?format=' + form + '&fresh=1&wait=' + MS, {credentials: 'include'}).then(function (r) { return r.json(); });
  }
  setTimeout(end, MS + 100);
  window.googletag = window.googletag || {};
  window.googletag.cmd = window.googletag.cmd || [];
  Promise.all([ask('pps'), ask('kv')])
    .then(function (answers) {
      window.googletag.cmd.push(function () {
        if (answers[0].taxonomies.IAB_AUDIENCE_1_1.values.length) window.googletag.setConfig({pps: answers[0]});
        for (var key in answers[1]) window.googletag.pubads().setTargeting(key, answers[1][key]);
        end();
      });
    })
    .catch(end);
}
