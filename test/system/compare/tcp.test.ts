/** mode tcp: bytes both ways, half-close, content inspection, PROXY protocol, log lines. */
import { readFileSync } from 'node:fs';
import { certificate } from '../../harness/certificates.ts';
import { comparison } from '../../harness/comparison.ts';
import { get, seen } from '../../harness/observe.ts';
import { answering, named, ok, Origin } from '../../harness/origin.ts';
import { sleep } from '../../harness/place.ts';

const pem = (names: string[]) => { const files = certificate(names); return { cert: readFileSync(files.certificate), key: readFileSync(files.key) }; };
/** Gives back everything after the client's FIN. */
const echoAtEnd = () => new Origin(async (connection) => { const { bytes } = await connection.rest(5000); connection.send(`echo:${bytes}`); connection.end(); });

comparison('tcp', {
  origins: () => ({
    echo: echoAtEnd(),
    greeting: new Origin(async (connection) => { connection.send('220 hello\r\n'); await connection.until(/QUIT/); connection.send('221 bye\r\n'); connection.end(); }),
    mute: new Origin(async () => { await sleep(3000); }),
    one: answering(() => ok('one'), { tls: pem(['one.local']) }),
    two: answering(() => ok('two'), { tls: pem(['two.local']) }),
    sink: new Origin(async (connection) => { const { bytes } = await connection.rest(3000); connection.send(Buffer.from(bytes, 'latin1').toString('hex')); connection.end(); }),
  }),
  configuration: `
defaults
    mode tcp
    log global
    option tcplog
    timeout connect 2s
    timeout client 400ms
    timeout server 400ms
listen echo
    bind {echofront}
    timeout client 3s
    timeout server 3s
    server s1 {echo}
listen mail
    bind {mail}
    server s1 {greeting}
listen mute
    bind {mutefront}
    server s1 {mute}
listen refused
    bind {refused}
    retries 0
    server s1 {nobody}
frontend sni
    bind {sni}
    tcp-request inspect-delay 2s
    tcp-request content accept if { req.ssl_hello_type 1 }
    tcp-request content reject
    use_backend one if { req.ssl_sni -i one.local }
    use_backend two if { req.ssl_sni -m end .two.local two.local }
backend one
    server s1 {one}
backend two
    server s1 {two}
frontend delayed
    bind {delayed}
    tcp-request inspect-delay 150ms
    tcp-request content accept if { req.len gt 3 }
    tcp-request content reject if WAIT_END
    default_backend echoes
frontend payload
    bind {payload}
    tcp-request inspect-delay 1s
    tcp-request content reject if { req.payload(0,4) -m str EVIL }
    tcp-request content accept if { req.len ge 4 }
    default_backend echoes
backend echoes
    server s1 {echo}
listen sends1
    bind {sends1}
    timeout client 3s
    timeout server 3s
    server s1 {sink} send-proxy
listen sends2
    bind {sends2}
    timeout client 3s
    timeout server 3s
    server s1 {sink} send-proxy-v2
`,
}, (situation) => {
  situation('half-close is passed on', async (site) => {
    const client = await site.client('echofront');
    await client.sendPieces(['one ', 'two ', 'three']);
    client.end();
    return [await client.rest(), await site.logLine(/ echo /)];
  }, { shows: 'echo:one two three' });
  situation('the server speaks first', async (site) => {
    const client = await site.client('mail');
    const greeting = await client.until(/\n/);
    client.send('QUIT\r\n');
    const rest = await client.rest();
    client.close();
    return [greeting, rest, await site.logLine(/ mail /)];
  }, { shows: ['220 hello', '221 bye'] });
  situation('nobody speaks: timeout', async (site) => {
    const client = await site.client('mutefront');
    const rest = await client.rest();
    return [rest.bytes, (await site.logLine(/ mute /)).replace(/ [sc]D /, ' xD ')];
  }, { shows: 'xD' });
  situation('refused', async (site) => {
    const client = await site.client('refused');
    const rest = await client.rest();
    return [rest.bytes, await site.logLine(/ refused /)];
  }, { shows: 'SC' });
  situation('server name in the hello chooses the backend', async (site) => {
    const answers: string[] = [];
    for (const servername of ['one.local', 'ONE.local', 'www.two.local', 'two.local']) answers.push((await site.ask('sni', get('/', 'Connection: close'), { tls: { servername } })).body);
    const unknown = await site.client('sni', { tls: { servername: 'three.local' } }).then(() => 'connected', () => 'refused');
    const clear = await site.everything('sni', get('/'));
    return [answers, unknown, clear.bytes];
  }, { shows: /"one",\s*"one",\s*"two",\s*"two"/ });
  situation('a hello in pieces', async (site) => {
    const client = await site.client('sni');
    // A hello for one.local that no server can agree to: its alert (15 03) shows that one was reached.
    const hello = Buffer.from('160301005a0100005603031111111111111111111111111111111111111111111111111111111111111111000002c02b0100002b0000000e000c0000096f6e652e6c6f63616c000a00040002001d000d00040002040300170000ff01000100', 'hex');
    for (let at = 0; at < hello.length; at += 9) { client.send(hello.subarray(at, at + 9)); await sleep(3); }
    const first = await client.until(/[^]{3}/);
    client.close();
    return Buffer.from(first, 'latin1').subarray(0, 2).toString('hex');
  }, { shows: '1503' });
  situation('inspect-delay: enough, late, never', async (site) => {
    const enough = await site.client('delayed');
    enough.send('hello').end();
    const late = await site.client('delayed');
    await late.sendPieces(['he', 'llo'], 50);
    late.end();
    const never = await site.client('delayed');
    never.send('he');
    return [await enough.rest(), await late.rest(), await never.rest(), (await site.logLines(/ delayed /, 3)).sort()];
  }, { shows: ['echo:hello', 'PR'] });
  situation('payload', async (site) => {
    const fine = await site.client('payload');
    fine.send('fine').end();
    const evil = await site.client('payload');
    await evil.sendPieces(['EV', 'IL...'], 30);
    return [await fine.rest(), (await evil.rest()).bytes, (await site.logLines(/ payload /, 2)).sort()];
  }, { shows: 'echo:fine' });
  const hex = async (site: Parameters<Parameters<typeof situation>[1]>[0], bind: string): Promise<string> => {
    const client = await site.client(bind, { from: '127.3.2.1' });
    const sourcePort = client.socket.localPort ?? 0;
    client.send('payload').end();
    const bytes = Buffer.from((await client.rest()).bytes, 'hex');
    const text = bytes.toString('latin1').replace(String(sourcePort), 'PORT').replaceAll(site.place.address, 'ADDR');
    if (!text.startsWith('PROXY')) {
      const addressAt = 16 + 4;
      return `${bytes.subarray(0, addressAt).toString('hex')} ${bytes.subarray(addressAt, addressAt + 4).join('.') === site.place.address} ${bytes.readUInt16BE(24) === sourcePort} ${bytes.subarray(26).toString('latin1')}`;
    }
    return text;
  };
  situation('send-proxy', (site) => hex(site, 'sends1'), { shows: 'PROXY TCP4 127.3.2.1 ADDR' });
  situation('send-proxy-v2', (site) => hex(site, 'sends2'), { shows: '0d0a0d0a' });
});

comparison('PROXY protocol from clients', {
  origins: () => ({ a: named('a') }),
  configuration: `
frontend fe
    bind {front} accept-proxy
    http-request set-header X-Src %[src]:%[src_port]
    http-request set-header X-Dst %[dst]:%[dst_port]
    option forwardfor
    default_backend be
backend be
    server s1 {a}
`,
}, (situation) => {
  const v2 = (command: number): Buffer => Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a', 'hex'), Buffer.from([0x20 + command, 0x11, 0, 12, 10, 1, 2, 3, 10, 9, 9, 9, 0x30, 0x39, 0x01, 0xbb])]);
  const closing = get('/', 'Connection: close');
  situation('version 1', async (site) => {
    await site.everything('front', `PROXY TCP4 10.1.2.3 10.9.9.9 12345 443\r\n${closing}`);
    await site.everything('front', `PROXY TCP6 2001:db8::1 2001:db8::2 12345 443\r\n${closing}`);
    await site.everything('front', `PROXY UNKNOWN\r\n${closing}`);
    return [seen(site, 'a').map((one) => one.headers.map((line) => line.replace(/:\d{5}$/, ':PORT'))), (await site.logLines(/ fe /, 3)).map((line) => line.replace(/:12345/, ':GIVEN'))];
  }, { shows: ['x-dst: 10.9.9.9:443', '10.1.2.3'] });
  situation('version 2', async (site) => {
    for (const command of [1, 0]) {
      const client = await site.client('front');
      client.send(v2(command)).send(closing);
      await client.rest();
      client.close();
    }
    return seen(site, 'a').map((one) => one.headers.map((line) => line.replace(/:\d{5}$/, ':PORT')));
  }, { shows: 'x-src: 10.1.2.3' });
  situation('a header in pieces', async (site) => {
    const client = await site.client('front');
    await client.sendPieces([...`PROXY TCP4 10.1.2.3 10.9.9.9 12345 443\r\n`], 1);
    client.send(closing);
    await client.rest();
    return seen(site, 'a').map((one) => one.headers);
  }, { shows: '[]', differs: { id: 'proxy-header-in-pieces', poise: () => [['host: lab.local', 'x-src: 10.1.2.3:12345', 'x-dst: 10.9.9.9:443', 'x-forwarded-for: 10.1.2.3']] } });
  situation('no header, bad header', async (site) => {
    const none = await site.everything('front', closing);
    const bad = await site.everything('front', `PROXY TCP4 x y z\r\n${closing}`);
    return [none.bytes, bad.bytes, seen(site, 'a')];
  }, { shows: '""' });
});
