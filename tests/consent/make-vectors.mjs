// Consent strings from three encoders with random content, and what a decoder says of each: tests/unit/privacy/iab.c compares.
// npm install && node make-vectors.mjs > vectors.tsv
import { createRequire } from 'module';
const require = createRequire(import.meta.url);
const fresh = require('@iabtechlabtcf/core'), old = require('@iabtcf/core'), gpp = require('@iabgpp/cmpapi');

let state = 20261126;
const needed = new Date('2026-02-28T00:00:00Z');       // strings created from here on must say who was disclosed (policy 2.3)
const random = n => (state = (Math.imul(state, 1103515245) + 12345) >>> 0, Math.floor(state / 65536) % n);
const chance = (a, b) => random(b) < a;
const say = (...cells) => console.log(cells.join('\t'));
const hex = ids => ids.reduce((set, id) => set | 1 << (id - 1), 0).toString(16);
const some = (n, of) => [...new Set(Array.from({ length: n }, () => 1 + random(of)))];

function list(vendors) {
  const entries = (n, make) => Object.fromEntries(Array.from({ length: n }, (_, i) => [i + 1, make(i + 1)]));
  return { gvlSpecificationVersion: 3, vendorListVersion: 100, tcfPolicyVersion: 5, lastUpdated: '2026-01-01T00:00:00Z', specialPurposes: {}, features: {},
    specialFeatures: {}, stacks: {}, dataCategories: {}, purposes: entries(11, id => ({ id, name: 'p', description: '', illustrations: [] })),
    vendors: entries(vendors, id => ({ id, name: 'v', purposes: [1, 3, 4, 9], legIntPurposes: [7], flexiblePurposes: [3, 4, 9], specialPurposes: [], features: [],
      specialFeatures: [], urls: [], cookieMaxAgeSeconds: 1, usesCookies: true, cookieRefresh: false, usesNonCookieAccess: false })) };
}

function tcf(lib, asked) {
  const most = 40 + random(900), m = new lib.TCModel(new lib.GVL(list(most)));
  const purposes = chance(2, 3) ? [...new Set([1, 3, 4, ...some(4, 11)])] : some(6, 11);
  m.created = m.lastUpdated = [new Date('2025-06-19T00:00:00Z'), new Date(needed - 100), needed, new Date('2026-11-24T00:00:00Z')][random(4)];
  m.cmpId = 31; m.cmpVersion = 2; m.isServiceSpecific = !chance(1, 12);
  m.purposeConsents.set(purposes);
  m.purposeLegitimateInterests.set([7]);
  const vendors = chance(1, 2) ? some(10 + random(60), most) : Array.from({ length: random(most) }, (_, i) => i + 1);     // scattered, or one range
  if (chance(2, 3)) vendors.push(asked);
  m.vendorConsents.set(vendors);
  if (chance(1, 2)) m.vendorLegitimateInterests.set(some(5, most));
  const told = [...new Set([...vendors, ...(chance(1, 2) ? [asked] : [])])];
  if (m.vendorsDisclosed) m.vendorsDisclosed.set(told);
  const restrictions = [];
  if (m.isServiceSpecific && chance(1, 3))
    for (let i = 0; i < 3; i++) {
      const vendor = chance(1, 2) ? asked : 1 + random(most), purpose = [3, 4, 9][random(3)], type = random(3);
      if (restrictions.some(r => r.vendor === vendor && r.purpose === purpose)) continue;
      m.publisherRestrictions.add(vendor, new lib.PurposeRestriction(purpose, type));
      restrictions.push({ vendor, purpose, type });
    }
  const s = lib.TCString.encode(m), read = fresh.TCString.decode(s);
  const kept = restrictions.filter(r => r.vendor === asked && r.type !== 1 && read.publisherRestrictions.getRestrictions(asked).some(x => x.purposeId === r.purpose && x.restrictionType === r.type));
  return [s, read.isServiceSpecific ? [hex([...Array(24).keys()].map(i => i + 1).filter(i => read.purposeConsents.has(i))), +read.vendorConsents.has(asked),
    +(!s.split('.').slice(1).some(x => x.startsWith('I') || x.startsWith('J') || x.startsWith('K') || x.startsWith('L')) ? read.created < needed : read.vendorsDisclosed.has(asked)),
    hex(kept.map(r => r.purpose))].join(' ') : 'unreadable'];
}

for (let i = 0; i < 90; i++) {
  const asked = 1 + random(40), [s, what] = tcf(i % 3 === 2 ? old : fresh, asked);
  say('tcf', asked, s, what);
  if (i % 9 === 0) say('tcf', asked, s.slice(0, 20 + random(18)), 'unreadable');         // ends before the vendors
}
// Examples of the IAB's specification and strings that no reader accepts
say('tcf', 1, 'CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA', 'unreadable');      // policy 2
for (const s of ['', 'garbage', 'C', '.', 'CQtAQoAQtAQoAAfACBENBkFgALDAAAAAAAYgAQqqoAACAAAAAAAA.I%QA', 'BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA', 'CQSbk4']) say('tcf', 33, s, 'unreadable');

const states = { usnat: 7, usca: 8, usva: 9, usco: 10, usut: 11, usct: 12, usfl: 13, usmt: 14, usor: 15, ustx: 16, usde: 17, usia: 18, usne: 19, usnh: 20, usnj: 21, ustn: 22, usmn: 23, usmd: 24, usin: 25, usky: 26, usri: 27 };
const outs = ['SaleOptOut', 'SharingOptOut', 'TargetedAdvertisingOptOut'];

// Bits as text of base64url, filled up with zeros.
const text = bits => bits.padEnd(Math.ceil(bits.length / 6) * 6, '0').match(/.{6}/g).map(x => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[parseInt(x, 2)]).join('');
const bits = (n, width) => n.toString(2).padStart(width, '0');

function section(model, name) {
  const has = f => { try { return typeof model.getFieldValue(name, f) === 'number'; } catch { return false; } };
  model.setFieldValue(name, states[name] >= 24 ? 'MspaVersion' : 'Version', name === 'usnat' ? 2 : 1);
  let out = false, said = false;
  for (const f of outs) {
    if (!has(f)) continue;
    const v = [0, 2, 2, 2, 2, 1][random(6)];
    try { model.setFieldValue(name, f, v); } catch { continue; }
    out ||= v === 1; said ||= v !== 0;
  }
  for (const [f, v] of [['SensitiveDataProcessing', 2], ['KnownChildSensitiveDataConsents', 0], ['MspaCoveredTransaction', 1 + random(2)]])
    try { model.setFieldValue(name, f, Array.isArray(model.getFieldValue(name, f)) ? model.getFieldValue(name, f).map(() => v) : v); } catch { /* not in this section */ }
  try { if (chance(1, 5)) { model.setFieldValue(name, 'Gpc', true); out = true; } } catch { /* no such part */ }
  return out ? 'out' : said ? 'not' : 'na';
}

for (const [name, id] of Object.entries(states))
  for (let i = 0; i < 6; i++) {
    const m = new gpp.GppModel(), what = section(m, name), s = m.encode(), again = new gpp.GppModel(s);
    if (again.getSection(name).SaleOptOut !== m.getSection(name).SaleOptOut) throw new Error(name);
    say('gpp', id, s, id + ':' + what);
  }
for (let i = 0; i < 40; i++) {
  const m = new gpp.GppModel(), what = [];
  for (const name of Object.keys(states)) if (chance(1, 3)) what.push(states[name] + ':' + section(m, name));
  if (chance(1, 2)) { const s = '1' + ['Y', 'N', '-'][random(3)] + ['Y', 'N'][random(2)] + 'N'; m.setFieldValue('uspv1', 'Version', 1); m.setFieldValue('uspv1', 'Notice', s[1]); m.setFieldValue('uspv1', 'OptOutSale', s[2]); m.setFieldValue('uspv1', 'LspaCovered', s[3]); what.unshift('6:' + (s[2] === 'Y' ? 'out' : 'not')); }
  if (what.length) say('gpp', 0, m.encode(), what.join(','));
}
for (let i = 0; i < 20; i++) {
  const m = new gpp.GppModel(), purposes = some(5, 11), implied = some(3, 11), asked = 1 + random(40), vendors = some(10, 60), also = some(4, 60);
  const bits = ids => Array.from({ length: 24 }, (_, k) => ids.includes(k + 1));
  m.setFieldValue('tcfcav1', 'PurposesExpressConsent', bits(purposes));
  m.setFieldValue('tcfcav1', 'PurposesImpliedConsent', bits(implied));
  m.setFieldValue('tcfcav1', 'VendorExpressConsent', vendors.sort((a, b) => a - b));
  m.setFieldValue('tcfcav1', 'VendorImpliedConsent', also.sort((a, b) => a - b));
  say('tcfca', asked, m.encode().split('~')[1], [hex([...new Set([...purposes, ...implied])]), +(vendors.includes(asked) || also.includes(asked)), 1, 0].join(' '));
}
for (const s of ['DBABLA', 'DBAB', 'XBABLA~CVQZAAAAAACA.YA', 'DBABLA~', 'DBABLA~CVQZAAAAAACA~CVQZ', 'DBABLA~C', '~', 'DBABLA~CVQZAA*AAACA']) say('gpp', 7, s, 'unreadable');
say('gpp', 7, 'DBABLA~CVQZAAAAAACA.YA', '7:out'); say('gpp', 6, 'DBABTA~1YYN', '6:out'); say('gpp', 6, 'DBABTA~1YNN', '6:not'); say('gpp', 6, 'DBABTA~1---', '6:na');

// Sections 24 to 27 as the specification writes them: a header first, which no library makes. By us, from the documented layout; what is expected is what was put in.
for (const [name, id] of Object.entries(states).filter(([, id]) => id >= 24))
  for (const [sale, targeted] of [[0, 0], [1, 2], [2, 1], [2, 2], [0, 2], [3, 0]]) {
    const container = new gpp.GppModel();
    container.setFieldValue(name, 'MspaVersion', 1);
    const start = container.encode().split('~')[0];
    const header = text(bits(id, 6) + bits(1, 6) + '000000000001' + '0' + '11'), core = text(bits(random(3), 6) + '0110' + '01' + '01' + '01' + bits(sale, 2) + bits(targeted, 2) + '0000');
    const what = sale === 3 || targeted === 3 ? 'unreadable' : id + ':' + (sale === 1 || targeted === 1 ? 'out' : sale || targeted ? 'not' : 'na');
    say('gpp', id, `${start}~${header}.${core}`, what);
    if (sale !== 2) continue;
    say('gpp', id, `${start}~${header}.${core}.${id === 24 ? text('011') : text('01'.repeat(8))}`, id === 24 ? '24:out' : what);      // the part of GPC; of sensitive data
    say('gpp', id, `${start}~${header}`, 'unreadable');
    say('gpp', id, `${start}~${text(bits(id ^ 3, 6) + bits(1, 6) + '000000000001011')}.${core}`, 'unreadable');                      // another section's header
    say('gpp', id, `${start}~${text(bits(id, 6) + bits(2, 6) + '000000000001011')}.${core}`, 'unreadable');                          // a version that is not known
  }
