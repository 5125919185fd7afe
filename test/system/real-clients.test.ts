/** curl in front, nginx behind, TLS on both sides: nobody here wrote either of them. */
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { certificate } from '../harness/certificates.ts';
import { eventually, reservePlace, type Place } from '../harness/place.ts';
import { isListening, Program } from '../harness/program.ts';

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
const large = randomBytes(5_000_000);
let place: Place;
let nginx: ChildProcess | undefined;
let poise: Program | undefined;

async function curl(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('curl', ['-sS', '--http1.1', '--insecure', '--max-time', '20', ...args], { encoding: 'latin1', maxBuffer: 20_000_000, env: { ...process.env, PATH: path } });
  return stdout;
}

const address = (): string => `https://${place.address}:8443`;

describe('curl through Poise to nginx', () => {
  before(async () => {
    place = await reservePlace();
    const { both: pem } = certificate(['lab.test']);
    const file = (name: string): string => join(place.folder, name);
    writeFileSync(file('large'), large);
    writeFileSync(file('nginx.conf'), `daemon off; user root; worker_processes 1; pid ${file('pid')}; error_log ${file('errors')};
events { worker_connections 256; }
http { access_log off; client_body_temp_path ${file('body')}; proxy_temp_path ${file('p')}; fastcgi_temp_path ${file('f')}; uwsgi_temp_path ${file('u')}; scgi_temp_path ${file('s')};
  server { listen ${place.address}:9443 ssl; ssl_certificate ${pem}; ssl_certificate_key ${pem}; root ${place.folder}; client_max_body_size 0;
    dav_methods PUT; location /who { add_header X-Forwarded "$http_x_forwarded_for"; return 200 "$request_method $request_uri"; } } }
`);
    writeFileSync(file('lb.cfg'), `defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend fe
    bind ${place.address}:8443 ssl crt ${pem}
    option forwardfor
    default_backend be
backend be
    option httpchk GET /large
    server s1 ${place.address}:9443 check ssl verify none
`);
    nginx = spawn('nginx', ['-c', file('nginx.conf'), '-e', file('errors'), '-p', place.folder], { stdio: 'ignore', env: { ...process.env, PATH: path } });
    await eventually('nginx listens', () => isListening(place.address, 9443), 10_000);
    poise = new Program('poise', ['-f', file('lb.cfg'), '-db']);
    await poise.listening([{ address: place.address, port: 8443 }]);
  });

  after(async () => {
    await poise?.stop();
    nginx?.kill('SIGTERM');
    await place.release();
  });

  it('downloads, also in ranges and several on one connection', async () => {
    assert.equal(sha(Buffer.from(await curl(`${address()}/large`), 'latin1')), sha(large));
    assert.equal(sha(Buffer.from(await curl('-r', '1000000-2999999', `${address()}/large`), 'latin1')), sha(large.subarray(1_000_000, 3_000_000)));
    const connects = await curl('-o', '/dev/null', '-o', '/dev/null', '-o', '/dev/null', '-w', '%{num_connects} %{http_code};', `${address()}/large`, `${address()}/who?a`, `${address()}/large`);
    assert.equal(connects, '1 200;0 200;0 200;');
  });

  it('uploads, with Expect: 100-continue and in chunks', async () => {
    const source = join(place.folder, 'large');
    assert.equal(await curl('-H', 'Expect: 100-continue', '-T', source, '-w', '%{http_code}', `${address()}/with-length`), '201');
    assert.equal(sha(readFileSync(join(place.folder, 'with-length'))), sha(large));
    assert.equal(await curl('-H', 'Transfer-Encoding: chunked', '-T', source, '-w', '%{http_code}', `${address()}/in-chunks`), '201');
    assert.equal(sha(readFileSync(join(place.folder, 'in-chunks'))), sha(large));
  });

  it('keeps methods, targets and statuses, and tells who asked', async () => {
    const answer = await curl('-i', '-X', 'RPC_OUT_DATA', `${address()}/who/Is%20it?x=1;y`);
    assert.match(answer, /^HTTP\/1\.1 (200|405)/);
    assert.equal(await curl(`${address()}/who/Is%20it?x=1;y`), 'GET /who/Is%20it?x=1;y');
    assert.match(await curl('-i', `${address()}/who`), /^X-Forwarded: 127\./m);
    assert.match(await curl('-I', `${address()}/large`), /^Content-Length: 5000000/m);
    assert.equal(await curl('-o', '/dev/null', '-w', '%{http_code}', `${address()}/none`), '404');
  });
});
