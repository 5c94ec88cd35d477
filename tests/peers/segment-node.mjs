/* segment-node.mjs HOST: sends with Segment's own library for servers. */
import {createRequire} from 'module';
import path from 'path';
const require = createRequire(path.resolve('package.json'));
const {Analytics} = require('@segment/analytics-node');
const a = new Analytics({writeKey: 'WK1', host: process.argv[2], path: '/v1/batch', flushAt: 10});
a.page({anonymousId: 'node-1', properties: {url: 'https://shop.example/coats/1'}});
a.track({anonymousId: 'node-1', event: 'Product Viewed', properties: {sku: 'A1', category: 'shoes'}});
a.identify({anonymousId: 'node-1', userId: 'u-1', traits: {email: 'jane@example.com'}});
await a.closeAndFlush();
