/* All screens, in the order of the navigation. To add one: a row here, a module in screens/ (docs/add-a-screen.md).
 *
 *     path    the first part of the address      of     it takes an id behind that: #/segments/ID
 *     name    in the navigation; none: it is not there      key    g and this letter go there
 *     under   the path that is marked in the navigation     load   its module, when it is first wanted */
export const screens = [
  {path: '', name: 'Today', key: 't', load: () => import('./screens/today.js')},
  {path: 'segments', name: 'Segments', key: 's', load: () => import('./screens/segments.js')},
];
