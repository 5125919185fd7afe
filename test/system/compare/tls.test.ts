/** TLS on both sides: choice of certificate, versions, client certificates, fetches, re-encryption. */
import { readFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { authority, certificate } from '../../harness/certificates.ts';
import { Client } from '../../harness/client.ts';
import { comparison } from '../../harness/comparison.ts';
import { get, seen } from '../../harness/observe.ts';
import { answering, ok, Origin } from '../../harness/origin.ts';
import type { Site } from '../../harness/site.ts';

const pem = (names: string[], signer = 'ca') => { const files = certificate(names, signer); return { cert: readFileSync(files.certificate), key: readFileSync(files.key) }; };
const values = () => ({
  lab: certificate(['lab.local', 'www.lab.local']).both, wild: certificate(['*.wild.local']).both, other: certificate(['other.local']).both,
  ca: authority(), clientcrt: certificate(['poise-client']).both, otherca: authority('other-ca'),
});
/** Origins that answer with what TLS told them. */
const origins = () => ({
  secure: answering((_, connection) => ok(`sni=${(connection.socket as TLSSocket & { servername?: string }).servername || '-'} alpn=${connection.tls.alpnProtocol || '-'} client=${connection.tls.getPeerCertificate().subject?.CN ?? '-'}`),
    { tls: { ...pem(['origin.local', '127.0.0.1']), requestCert: true, rejectUnauthorized: false, ca: readFileSync(authority()), ALPNProtocols: ['http/1.1'] } }),
  plain: answering(() => ok('plain')),
  foreign: answering(() => ok('foreign'), { tls: pem(['origin.local'], 'other-ca') }),
  deaf: new Origin(() => {}),
});

/** Common name shown, or the alert, for each handshake. */
const handshakes = (bind: string, ...clients: Record<string, unknown>[]) => async (site: Site): Promise<string[]> => {
  const results: string[] = [];
  for (const options of clients) {
    try {
      const client = await Client.connect(site.place.address, site.port(bind), { tls: options });
      results.push(`${client.tls.getPeerCertificate().subject?.CN} ${client.tls.getProtocol()} ${client.tls.alpnProtocol || '-'}`);
      client.close();
    } catch (error) {
      results.push((error as NodeJS.ErrnoException).code ?? String(error));
    }
  }
  return results;
};

comparison('TLS towards clients', {
  origins, values,
  files: { 'certs/readme.txt': 'not a certificate' },
  configuration: `
frontend fe
    bind {several} ssl crt {lab} crt {wild} crt {other}
    bind {strict} ssl crt {lab} crt {wild} strict-sni
    bind {old} ssl crt {lab} ssl-max-ver TLSv1.2
    bind {new} ssl crt {lab} ssl-min-ver TLSv1.3
    bind {alpn} ssl crt {lab} alpn http/1.1
    bind {ciphers} ssl crt {lab} ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-AES256-GCM-SHA384
    bind {mutual} ssl crt {lab} ca-file {ca} verify required
    bind {optional} ssl crt {lab} ca-file {ca} verify optional
    bind {clear}
    http-request set-header X-Proto https if { ssl_fc }
    http-request set-header X-SNI %[ssl_fc_sni]
    http-request set-header X-TLS "%[ssl_fc_protocol] %[ssl_fc_cipher] %[ssl_fc_use_keysize] %[ssl_fc_alpn]"
    http-request set-header X-Client "%[ssl_c_used] %[ssl_c_verify] %[ssl_c_s_dn(cn)] %{+Q}[ssl_c_s_dn] %[ssl_c_i_dn(cn)] %[ssl_fc_has_crt]"
    http-request set-header X-Resumed %[ssl_fc_is_resumed]
    use_backend wild if { ssl_fc_sni -m end .wild.local }
    default_backend be
backend be
    server s1 {plain}
backend wild
    http-request set-header X-Backend wild
    server s1 {plain}
`,
}, (situation) => {
  situation('the certificate follows the name', handshakes('several', { servername: 'lab.local' }, { servername: 'www.lab.local' }, { servername: 'a.wild.local' }, { servername: 'a.b.wild.local' }, { servername: 'OTHER.local' }, { servername: 'unknown.local' }, {}), { shows: ['*.wild.local', 'other.local'] });
  situation('strict-sni', async (site) => {
    const results = await handshakes('strict', { servername: 'lab.local' }, { servername: 'x.wild.local' }, { servername: 'unknown.local' }, {})(site);
    // Which alert says no depends on the TLS library.
    return results.map((result) => (/^(ERR_SSL|ECONNRESET)/.test(result) ? 'refused' : result));
  }, { shows: /"refused",\s*"refused"/ });
  situation('versions', async (site) => [await handshakes('old', {}, { minVersion: 'TLSv1.3' })(site), await handshakes('new', {}, { maxVersion: 'TLSv1.2' })(site)], { shows: ['TLSv1.2', 'TLSv1.3'] });
  situation('alpn', handshakes('alpn', { ALPNProtocols: ['http/1.1'] }, { ALPNProtocols: ['h2', 'http/1.1'] }, {}), { shows: 'http/1.1' });
  situation('ciphers', async (site) => {
    const client = await site.client('ciphers', { tls: {} });
    return client.tls.getCipher().name;
  }, { shows: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
  situation('fetches', async (site) => {
    await site.ask('several', get('/'), { tls: { servername: 'www.lab.local', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' } });
    await site.ask('several', get('/'), { tls: { servername: 'x.wild.local' } });
    await site.ask('clear', get('/'));
    return seen(site, 'plain');
  }, { shows: ['x-proto: https', 'x-sni: www.lab.local', 'x-backend: wild'] });
  situation('client certificates: optional', async (site) => {
    await site.ask('optional', get('/with'), { tls: pem(['poise-client']) });
    await site.ask('optional', get('/without'), { tls: {} });
    return seen(site, 'plain');
  }, { shows: 'poise-client' });
  situation('client certificates: required', async (site) => {
    const tried: string[] = [];
    for (const options of [pem(['poise-client']), {}, pem(['stranger'], 'other-ca')]) {
      try {
        const client = await site.client('mutual', { tls: options });
        tried.push((await client.send(get('/')).answer('GET', 1500)).startLine);
      } catch {
        tried.push('refused');
      }
    }
    return tried;
  }, { shows: ['200 OK', 'refused'] });
  situation('clear text on a TLS port', async (site) => {
    const client = await site.client('several');
    const rest = await client.send(get('/')).rest(1500);
    return [rest.bytes.includes('HTTP/'), rest.ending === 'open', await site.logLine(/SSL handshake|handshake failure|BADREQ/)];
  }, { shows: 'SSL handshake' });
});

comparison('TLS towards servers', {
  origins, values,
  configuration: `
frontend fe
    bind {front}
    use_backend %[path,field(2,/)]
backend none
    server s1 {secure} ssl verify none
backend named
    server s1 {secure} ssl verify none sni req.hdr(host) alpn http/1.1
backend fixed
    server s1 {secure} ssl verify none sni str(fixed.local)
backend required
    retries 0
    server s1 {secure} ssl ca-file {ca} verify required verifyhost origin.local
backend wronghost
    retries 0
    server s1 {secure} ssl ca-file {ca} verify required verifyhost wrong.local
backend wrongca
    retries 0
    server s1 {foreign} ssl ca-file {ca} verify required
backend cert
    server s1 {secure} ssl verify none crt {clientcrt}
backend plainserver
    retries 0
    server s1 {plain} ssl verify none
backend deaf
    retries 0
    timeout connect 300ms
    server s1 {deaf} ssl verify none
`,
}, (situation) => {
  const through = (...backends: string[]) => async (site: Site): Promise<string[]> => {
    const answers: string[] = [];
    for (const backend of backends) {
      const answer = await site.ask('front', `GET /${backend} HTTP/1.1\r\nHost: mail.lab.local\r\nConnection: close\r\n\r\n`);
      answers.push(`${backend}: ${answer.status} ${answer.status === 200 ? answer.body : ''} ${await site.logLine(new RegExp(` /${backend} `))}`);
    }
    return answers;
  };
  situation('verify none, sni, alpn', through('none', 'named', 'fixed'), { shows: ['sni=mail.lab.local alpn=http/1.1', 'sni=fixed.local'] });
  situation('verify required', through('required', 'wronghost', 'wrongca'), { shows: ['required: 200', 'wronghost: 503', 'wrongca: 503'] });
  situation('a certificate of our own', through('cert'), { shows: 'client=poise-client' });
  situation('a server that does not speak TLS', through('plainserver'), { shows: '503' });
  situation('a server that never answers the hello', through('deaf'), { shows: '503' });
});
