/* New segments that most shops want: a condition with categories of this shop guessed from their names and sizes. The rows of the builder change them. */

const BUY = /(^|[.\-_ ])(purchase|purchases|bought|buy|order|orders|sale_done|kauf|gekauft|achat)/i;
const sized = (list) => [...list].sort((a, b) => (b.size || 0) - (a.size || 0));

/* The category that means buying; else the smallest that has a size. */
export function buying(categories) {
  const named = categories.filter((c) => BUY.test(c.id) || BUY.test(c.name));
  return named.find((c) => /purchase|bought/i.test(c.id + c.name)) || named[0] || sized(categories).filter((c) => c.size).at(-1) || categories[0];
}

/* What people look at most: no parent of others, and not buying. */
export function interests(categories) {
  const buy = buying(categories), leaves = categories.filter((c) => c !== buy && !BUY.test(c.id) && !categories.some((o) => o.id.startsWith(c.id + '.')) && !/cart|checkout|basket/i.test(c.id));
  return sized(leaves.length ? leaves : categories.filter((c) => c !== buy));
}

const two = (categories) => ({buy: buying(categories)?.id || 'purchase', look: interests(categories)[0] || {id: 'category', name: 'something'}});

export const templates = [
  {id: 'market', title: 'In the market, and not bought', about: 'Looked at something several times lately, and has not bought it.', make: (c) => { const {buy, look} = two(c); return {name: `In the market: ${look.name}`, when: `${look.id} >= 3 in 14d and not ${buy} in 30d`}; }},
  {id: 'loyal', title: 'Loyal readers', about: 'Comes on many different days, for one thing.', make: (c) => { const {look} = two(c); return {name: `Loyal: ${look.name}`, when: `visits >= 6 in 30d and days(${look.id}) >= 3 in 30d`}; }},
  {id: 'lapsed', title: 'Lapsed', about: 'Bought once, and was not seen buying for a while.', make: (c) => ({name: 'Lapsed buyers', when: `${two(c).buy} and not ${two(c).buy} in 45d`})},
  {id: 'value', title: 'High value', about: 'Bought several times in three months.', make: (c) => ({name: 'High value', when: `${two(c).buy} >= 3 in 90d`})},
  {id: 'empty', title: 'From nothing', about: 'An empty condition, with completion.', make: () => ({name: '', when: ''})},
];
