/** The PROXY headers that servers get: both versions, their options, with and without TLS and client certificates. */
import { readFileSync } from 'node:fs';
import { authority, certificate } from '../../harness/certificates.ts';
import { comparison } from '../../harness/comparison.ts';
import { Origin } from '../../harness/origin.ts';
import { eventually } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

/** Options of the server line, by the name of its listener. */
const options: Readonly<Record<string, string>> = {
  v1: 'send-proxy', v2: 'send-proxy-v2', ssl: 'send-proxy-v2-ssl', cn: 'send-proxy-v2-ssl-cn',
  optssl: 'send-proxy-v2 proxy-v2-options ssl', optcn: 'send-proxy-v2 proxy-v2-options ssl,cert-cn', onlycn: 'send-proxy-v2 proxy-v2-options cert-cn',
  cipher: 'send-proxy-v2 proxy-v2-options ssl,ssl-cipher', keys: 'send-proxy-v2 proxy-v2-options ssl,cert-sig,cert-key',
  authority: 'send-proxy-v2 proxy-v2-options authority', crc: 'send-proxy-v2 proxy-v2-options crc32c,authority', uniq: 'send-proxy-v2 proxy-v2-options unique-id',
  all: 'send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,unique-id',
};
const names = Object.keys(options);

/** The header's parts in words; ports, addresses of the site and checksums are left out. */
function described(site: Site, bytes: Buffer): unknown {
  if (bytes.toString('latin1').startsWith('PROXY')) return site.anonymous(bytes.toString('latin1')).replace(/ \d+ \d+\r\n/, ' PORT PORT\r\n');
  const end = 16 + bytes.readUInt16BE(14);
  const parts: string[] = [];
  for (let at = 28; at + 3 <= end;) {
    const type = bytes.readUInt8(at);
    const value = bytes.subarray(at + 3, at + 3 + bytes.readUInt16BE(at + 1));
    parts.push(`${type.toString(16)}: ${type === 3 ? `${value.length} bytes` : value.toString('latin1')}`);
    at += 3 + value.length;
  }
  return { head: bytes.subarray(12, 14).toString('hex'), from: [...bytes.subarray(16, 20)].join('.'), parts, after: bytes.subarray(end).toString('latin1') };
}

comparison('PROXY headers for servers', {
  origins: () => ({ a: new Origin(() => {}) }),
  values: () => ({ lab: certificate(['lab.local']).both, ca: authority() }),
  configuration: `
defaults
    mode tcp
    log global
    timeout connect 2s
    timeout client 5s
    timeout server 5s
    unique-id-format %{+X}o\\ id-%[src]
${names.map((name) => `listen clear${name}\n    bind {clear${name}}\n    server s1 {a} ${options[name]}\nlisten tls${name}\n    bind {tls${name}} ssl crt {lab} ca-file {ca} verify optional ciphers ECDHE-ECDSA-AES128-GCM-SHA256 ssl-max-ver TLSv1.2\n    server s1 {a} ${options[name]}`).join('\n')}
`.replace('\ndefaults', '\nglobal\n    log {log} local0\n    maxconn 500\ndefaults'),
}, (situation) => {
  const through = (bind: string, tls?: Record<string, unknown>) => async (site: Site): Promise<unknown> => {
    const { connections } = site.origin('a');
    const before = connections.length;
    const client = await site.client(bind, tls === undefined ? {} : { tls });
    client.send('!');
    const received = await eventually('the header', () => (connections[before]?.received.endsWith('!') === true ? connections[before].received : ''));
    client.close();
    return described(site, Buffer.from(received, 'latin1'));
  };
  const files = () => certificate(['poise-client']);
  for (const name of names) {
    situation(`${options[name]}, clear`, through(`clear${name}`), { shows: name === 'v1' ? 'PROXY TCP4' : '"head": "2111"' });
    situation(`${options[name]}, TLS`, through(`tls${name}`, { servername: 'lab.local' }), { shows: name === 'v1' ? 'PROXY TCP4' : '"head": "2111"' });
    situation(`${options[name]}, client certificate`, (site) => through(`tls${name}`, { servername: 'lab.local', cert: readFileSync(files().certificate), key: readFileSync(files().key) })(site), { shows: name === 'v1' ? 'PROXY TCP4' : '"head": "2111"' });
  }
});
