/* All screens, in the order of the navigation. To add one: a row here, a module in screens/ (docs/add-a-screen.md).
 *
 *     path    the first part of the address      of     it takes an id behind that: #/segments/ID
 *     kind    the second part, before the id: #/edit/category/ID
 *     name    in the navigation; none: it is not there      key    g and this letter go there
 *     under   the path that is marked in the navigation     load   its module, when it is first wanted
 *     role    whom it is of use to; none: everybody */
export const screens = [
  {path: '', name: 'Today', key: 't', load: () => import('./screens/today.js')},
  {path: 'segments', name: 'Segments', key: 's', load: () => import('./screens/segments.js')},
  {path: 'segments', of: true, load: () => import('./screens/segment.js')},
  {path: 'edit', kind: 'category', of: true, under: 'categories', load: () => import('./screens/edit-category.js')},
  {path: 'edit', of: true, under: 'segments', load: () => import('./screens/edit.js')},
  {path: 'new', under: 'segments', load: () => import('./screens/edit.js')},
  {path: 'overlap', under: 'segments', load: () => import('./screens/overlap.js')},
  {path: 'categories', name: 'Categories', key: 'c', load: () => import('./screens/categories.js')},
  {path: 'categories', of: true, load: () => import('./screens/category.js')},
  {path: 'make', under: 'categories', load: () => import('./screens/make.js')},
  {path: 'lookalikes', name: 'Lookalikes', key: 'l', load: () => import('./screens/lookalikes.js')},
  {path: 'lookalikes', of: true, load: () => import('./screens/lookalike.js')},
  {path: 'journeys', name: 'Journeys', key: 'j', load: () => import('./screens/journeys.js')},
  {path: 'destinations', name: 'Destinations', key: 'd', load: () => import('./screens/destinations.js')},
  {path: 'destinations', of: true, load: () => import('./screens/destination.js')},
  {path: 'live', name: 'Tag assistant', key: 'a', role: 'marketer', load: () => import('./screens/live.js')},
  {path: 'history', name: 'History', key: 'y', load: () => import('./screens/history.js')},
  {path: 'health', name: 'Health', key: 'h', load: () => import('./screens/health.js')},
];

const ROLES = ['viewer', 'marketer', 'operator'];
let signed = ROLES[0];
/* Who is signed in. */
export function asRole(role) { signed = role; }
/* May who is signed in do what this role may? */
export const may = (role) => ROLES.indexOf(signed) >= ROLES.indexOf(role);
/* The screens that are offered. */
export const reachable = () => screens.filter((s) => s.name && (!s.role || may(s.role)));
