/* decode.mjs avro FILE | google FILE: prints as JSON what avsc, or protobuf-es with Google's own descriptors, read. */
import {createRequire} from 'module';
import {readFileSync} from 'fs';
import path from 'path';
const [kind, file] = process.argv.slice(2);
const require = createRequire(path.resolve('package.json'));
if (kind === 'avro') {
  const avro = require('avsc'), out = [];
  avro.createFileDecoder(file).on('data', v => out.push({uid: v.uid, segments: v.segments.map(s => ({...s}))})).on('end', () => console.log(JSON.stringify(out)));
} else {
  const {fromBinary, toJson} = require('@bufbuild/protobuf');
  const p = require(path.resolve('proto/package/dist/destinations/display-video-360/proto/protofile.js'));
  const schema = p.UpdateUsersDataRequestSchema || p.UpdateUsersDataRequest;
  const m = schema.fromBinary ? schema.fromBinary(readFileSync(file)) : fromBinary(schema, readFileSync(file));
  console.log(JSON.stringify(m, (k, v) => typeof v === 'bigint' ? v.toString() : v));
}
