/**
 * Timeouts of single services: `timeout server` of one backend holds a poll that others cut, `http-request set-timeout` one request;
 * a client that waits for its answer is never late. HAProxy and Poise must show the same. 120 simulated seconds pass in a real one.
 */
import { comparison } from '../../harness/comparison.ts';
import { head, open, openPair, pduEcho, pingBody, whole } from '../../harness/exchange-clients.ts';
import { mailCertificate, twoServers } from '../../harness/exchange-origin.ts';
import { sleep } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const server = 'server ex1 {ex1} ssl verify none';
const configuration = `defaults
    mode http
    log global
    option httplog
    timeout connect 5s
    timeout client 1s
    timeout server 1s
frontend fe
    bind {https} ssl crt {crt}
    use_backend patient if { hdr(x-to) patient }
    use_backend rpc if { path_beg /rpc }
    default_backend others
backend patient
    timeout server 8s
    ${server}
backend rpc
    timeout server 3s
    ${server}
backend others
    http-request set-timeout server 8s if { hdr(x-set) yes }
    ${server}
`;

async function poll(site: Site, path: string, ...lines: string[]): Promise<unknown> {
  const client = await open(site);
  client.send(path.startsWith('/owa') ? head('GET', path, ...lines) : whole('POST', path, pingBody(300), ...lines));
  const { bytes, ending } = await client.rest(6000);
  client.close();
  const line = await site.logLine(new RegExp(path.slice(-6)));
  return [bytes.slice(0, 12), bytes.includes('reachability'), ending, line];
}

const ping = (name: string): string => `/Microsoft-Server-ActiveSync?Cmd=Ping&User=anna&DeviceId=1&DeviceType=${name}`;
const owa = (name: string): string => `/owa/ev.owa2?ns=PendingRequest&ev=PendingNotificationRequest&UA=${name}`;

/** PENDING comes within the timeout again and again. */
async function notification(site: Site): Promise<unknown> {
  const client = await open(site);
  client.send(whole('POST', '/mapi/emsmdb/', 'wait', 'X-RequestType: NotificationWait'));
  const answer = await client.answer('POST', 8000);
  client.close();
  return [answer.status, answer.body.match(/PENDING/g)?.length, await site.logLine(/"POST \/mapi/)];
}

/** The client of the channel itself falls silent, for longer than the frontend lets it. */
async function silentChannel(site: Site): Promise<unknown> {
  const { incoming, outgoing } = await openPair(site);
  for (let n = 0; n < 8; n += 1) {
    await pduEcho(incoming, outgoing, `${n}`);
    await sleep(200);
  }
  const { bytes, ending } = await incoming.rest(4000);
  outgoing.close();
  return [bytes.slice(0, 12), ending, await site.logLine(/"RPC_IN/)];
}

comparison('timeouts of services', { configuration, origins: twoServers({ scale: 120 }), values: mailCertificate }, (situation) => {
  situation('at once: polls with and without a timeout of their own', (site) => Promise.all([
    poll(site, ping('patient'), 'X-To: patient', 'Connection: close'),
    poll(site, ping('hurry')),
    poll(site, ping('wants'), 'X-Set: yes', 'Connection: close'),
    poll(site, owa('slowly'), 'X-To: patient', 'Connection: close'),
    poll(site, owa('atonce')),
    notification(site),
    silentChannel(site),
  ]), { shows: ['HTTP/1.1 200', 'HTTP/1.1 504', 'sH--', 'sD--', 'others/ex1', 'patient/ex1'] });
});
