/** A Model crosses to the traffic threads as text: nothing may be lost, whatever its size. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { atOnce, inSlices } from '../../../src/base/slices.ts';
import type { Model } from '../../../src/model/model.ts';
import { readModel, shareModel } from '../../../src/shared/model-text.ts';
import { withSameObjects } from '../../../src/shared/same-objects.ts';
import { base, load, model } from '../config/loading.ts';

const rich = `global
 maxconn 300
 log 127.0.0.1 local0
${base} errorfile 503 /pages/503.http
frontend fe
 bind 127.0.0.1:80
 acl good path -f /lists/many.lst
 acl umlaut hdr(x) -m str "Gr\u00fc\u00dfe \ud83d\udc4b"
 http-request deny deny_status 403 if !good umlaut
 http-request return status 200 content-type text/plain string "caf\u00e9"
${Array.from({ length: 1200 }, (_, index) => ` use_backend b${index % 300} if { path_beg /p${index} }`).join('\n')}
 default_backend b0
${Array.from({ length: 300 }, (_, index) => `backend b${index}\n server s1 10.0.0.${index % 200}:80 check maxconn ${index}\n server s2 [::1]:${1000 + index} backup\n`).join('')}
backend checked
 option tcp-check
 tcp-check send-binary 00ff7f80
 tcp-check expect rbinary 0a
 server s1 10.0.0.1:25 check
defaults long
 mode http
 timeout connect 1s
 timeout server 1s
${Array.from({ length: 600 }, (_, index) => ` http-request set-header X-${index} ${index}`).join('\n')}
backend same1 from long
 server s1 10.0.0.1:80
backend same2 from long
 server s1 /run/socket
backend longer from long
 http-request deny
 server s1 a.example:80
defaults plain
 mode http
 timeout connect 1s
 timeout server 1s
backend short from plain
 server s1 10.0.0.2:80
`;

function readRich(text = rich): Model {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const page = Buffer.concat([Buffer.from('HTTP/1.1 503 No\r\ncontent-length: 256\r\n\r\n'), bytes]);
  const list = Array.from({ length: 3000 }, (_, index) => `/list/${index}`).join('\n');
  return model(load(text, { '/pages/503.http': page, '/lists/many.lst': list }));
}

test('what is read is what was written, bytes above 127 included, in one go and in slices', async () => {
  const written = readRich();
  const copy = deserialize(serialize(written)) as Model;
  const shared = atOnce(shareModel(written, null));
  assert.deepEqual(atOnce(readModel(shared, null)), copy);
  assert.deepEqual(await inSlices(readModel(shared, null)), copy);
  assert.deepEqual(written, copy, 'writing changes nothing');
});

test('what is like the item before is not written again, a list of six hundred rules neither', () => {
  const { pieces, bytes } = atOnce(shareModel(readRich(), null));
  assert.equal(new Set(pieces.filter(({ into }) => into[2] === 'httpRequest').map(({ into }) => into[1])).size, 2, 'the rules of same1 and longer; same2 has those of same1');
  const inFull = JSON.stringify(readRich()).length;
  assert.ok(bytes.byteLength < inFull / 3, `${bytes.byteLength} of ${inFull} bytes`);
});

test('long lists are cut, wherever they stand; no piece is much larger than asked for', () => {
  const { pieces } = atOnce(shareModel(readRich(), null));
  assert.deepEqual(new Set(pieces.map(({ into }) => into.filter((part) => typeof part === 'string').join('.'))),
    new Set(['', 'proxies', 'proxies.useBackend', 'proxies.httpRequest', 'servers', 'binds', 'acls', 'patterns', 'patterns.entries']));
  assert.ok(pieces.length > 8, `${pieces.length} pieces`);
  assert.ok(pieces.every(({ bytes }) => bytes < 140_000), `${Math.max(...pieces.map(({ bytes }) => bytes))} bytes`);
});

/** What threads that have `before` make of `after`, and how much was written for them. */
function taken(before: Model, after: Model): { readonly model: Model; readonly bytes: number } {
  const copy = deserialize(serialize(after)) as Model;
  const { model: kept, origins } = atOnce(withSameObjects(after, before));
  assert.deepEqual(kept, copy);
  const shared = atOnce(shareModel(kept, before, origins));
  return { model: atOnce(readModel(shared, before)), bytes: shared.bytes.byteLength };
}

test('a reload writes what is new: readers go on using the objects that they have', () => {
  const before = readRich();
  const whole = atOnce(shareModel(before, null)).bytes.byteLength;
  const same = taken(before, readRich());
  assert.deepEqual(same.model, before);
  assert.ok(same.bytes < whole / 20, `${same.bytes} of ${whole} bytes`);
  for (const list of ['proxies', 'servers', 'acls', 'patterns'] as const) assert.ok(same.model[list].every((item, index) => item === before[list][index]), list);
  const added = taken(before, readRich(`${rich}backend added from plain\n server s1 10.0.0.3:80\n`));
  assert.equal(added.model.proxies.at(-1)?.name, 'added');
  assert.ok(added.bytes < whole / 20, `${added.bytes} of ${whole} bytes`);
  assert.equal(added.model.proxies[0], before.proxies[0]);
});

test('what stays is found again behind a hundred lines that were added, taken away or replaced', () => {
  const before = readRich();
  const whole = atOnce(shareModel(before, null)).bytes.byteLength;
  const lines = rich.trimEnd().split('\n');
  const at = lines.indexOf(' use_backend b20 if { path_beg /p20 }');
  const added = Array.from({ length: 100 }, (_, index) => ` use_backend b1 if { path_beg /new${index} }`);
  for (const [count, more] of [[0, added], [100, []], [100, added]] as const) {
    const { model: after, bytes } = taken(before, readRich(lines.toSpliced(at, count, ...more).join('\n') + '\n'));
    assert.equal(after.proxies[0]?.useBackend.length, 1200 - count + more.length);
    // Where lines move, their numbers are written.
    assert.ok(bytes < whole / (count === more.length ? 10 : 2), `${count} of ${more.length}: ${bytes} of ${whole} bytes`);
    assert.equal(after.proxies[0]?.useBackend.at(-1)?.condition?.text, before.proxies[0]?.useBackend.at(-1)?.condition?.text);
  }
});

test('lines added, changed, removed or moved anywhere: every reader has what was written', () => {
  const lines = rich.trimEnd().split('\n');
  const edits: readonly (readonly [number, number, ...string[]])[] = [
    [lines.indexOf('frontend fe') + 1, 0, ' maxconn 7'],
    [lines.indexOf('backend b7'), 0, 'backend between', ' server s1 10.0.0.9:80'],
    [lines.indexOf('backend b7'), 3],
    [lines.indexOf(' use_backend b5 if { path_beg /p5 }'), 1, ' use_backend b6 if { path_beg /p5 } umlaut'],
    [lines.indexOf(' use_backend b5 if { path_beg /p5 }'), 700],
    [lines.indexOf(' http-request deny'), 1],
    [lines.indexOf('defaults long') + 4, 2],
    [0, 1, 'global', ' description moved'],
  ];
  const texts = [rich, ...edits.map(([at, count, ...added]) => lines.toSpliced(at, count, ...added).join('\n') + '\n')];
  const models = texts.map((text) => readRich(text.includes('\nbackend b7\n') ? text : text.replaceAll('use_backend b7 ', 'use_backend b8 ')));
  const [plain] = models;
  assert.ok(plain !== undefined && models.length === edits.length + 1);
  for (const edited of models) for (const [before, after] of [[plain, edited], [edited, plain]] as const) assert.deepEqual(taken(before, after).model, after);
});
