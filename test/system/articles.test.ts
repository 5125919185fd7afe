/**
 * The configurations of both articles, unchanged, in front of two simulated Exchange servers: first HAProxy, then Poise, on the
 * same addresses. What clients, the log and the statistics show must be the same.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ExchangeSite } from '../../src/exchange-sim/site.ts';
import { certificate } from '../harness/certificates.ts';
import { Client } from '../harness/client.ts';
import { readStatistics } from '../harness/csv.ts';
import { lockFixedAddresses } from '../harness/exclusive.ts';
import type { Message } from '../harness/http.ts';
import { readLog } from '../harness/log.ts';
import { eventually, temporaryFolder } from '../harness/place.ts';
import { Program, projectFolder, type ProgramName } from '../harness/program.ts';
import { SyslogSink } from '../harness/syslog.ts';

const files = certificate(['mail.lab.local', 'autodiscover.lab.local']);
const vip = '127.0.0.10';
const services = ['/owa/', '/ecp/', '/EWS/Exchange.asmx', '/ews/exchange.asmx', '/mapi/emsmdb/', '/rpc/rpcproxy.dll?x:6001', '/Microsoft-Server-ActiveSync?Cmd=Ping', '/OAB/oab.xml', '/oab/oab.xml', '/autodiscover/autodiscover.xml', '/Autodiscover/x', '/'];

interface Run { readonly log: SyslogSink; readonly exchange: ExchangeSite; readonly program: Program }

/** Starts everything around one configuration, runs the script, ends everything. */
async function inFrontOfExchange(name: ProgramName, configuration: string, ports: readonly number[], script: (run: Run) => Promise<unknown>): Promise<unknown> {
  const pem = { certPem: readFileSync(files.certificate, 'latin1'), keyPem: readFileSync(files.key, 'latin1') };
  const servers = [['LAB-EX01', '127.0.0.21'], ['LAB-EX02', '127.0.0.22']] as const;
  const exchange = new ExchangeSite(servers.map(([server, host]) => ({ name: server, fqdn: `${server}.lab.local`, host, port: 8443, ...pem })));
  const log = new SyslogSink();
  const folder = temporaryFolder();
  await exchange.listen('127.0.0.21', 0);
  await log.listen('127.0.0.1', 5140);
  const program = new Program(name, ['-f', join(projectFolder, 'examples', configuration), '-db'], { cwd: folder, env: { RUN_DIR: folder, CRT: files.both } });
  try {
    await program.listening(ports.map((port) => ({ address: vip, port })));
    return JSON.parse(JSON.stringify(await script({ log, exchange, program })));
  } finally {
    await program.stop();
    await log.close();
    await exchange.close();
  }
}

async function ask(port: number, request: string, tls = false): Promise<Message> {
  const client = await Client.connect(vip, port, tls ? { tls: { servername: 'mail.lab.local' } } : {});
  const answer = await client.send(request).answer(request.split(' ')[0]);
  // A client that leaves while the server's close_notify is on its way resets the connection, which the log of mode tcp shows.
  await client.rest();
  client.close();
  return answer;
}

const get = (uri: string): string => `GET ${uri} HTTP/1.1\r\nHost: mail.lab.local\r\nConnection: close\r\n\r\n`;
const auth = `Authorization: Basic ${Buffer.from('admin:lab').toString('base64')}`;

/** `backend/server=status` of every server. */
async function serverStates(): Promise<string[]> {
  const page = await ask(8404, `GET /haproxy;csv HTTP/1.1\r\nHost: x\r\n${auth}\r\nConnection: close\r\n\r\n`);
  return readStatistics(page.body).rows.filter((row) => row['type'] === '2').map((row) => `${row['pxname']}/${row['svname']}=${row['status']}`);
}

/** Part 5: routing, headers, the redirect, the log, the statistics; a component that goes and comes back. */
async function layerSeven({ log, exchange }: Run): Promise<unknown> {
  const seen: Record<string, unknown> = {};
  await eventually('all servers up and checked', async () => (await serverStates()).every((state) => state.endsWith('=UP')), 10_000);
  seen['redirect'] = (await ask(8080, get('/owa/?x=1'))).lines.map((line) => line.toLowerCase());
  const answers: string[] = [];
  for (const uri of services) {
    const answer = await ask(8443, get(uri), true);
    answers.push(`${uri} ${answer.status} ${answer.header('x-feserver') ?? ''} ${answer.header('server') ?? ''}`);
  }
  seen['answers'] = answers;
  const lines = await log.matching(/ fe_ex2013~ /, services.length);
  // Lines of two threads may change places.
  seen['log'] = lines.map(readLog).sort();
  // The article's triage: traffic of the catch-all, which nobody should see but for a mistake in an ACL.
  seen['catch-all'] = lines.filter((line) => line.includes('fe_ex2013~ be_ex2013/lab-ex')).map((line) => /"([^"]*)"/.exec(line)?.[1]).sort();
  exchange.setComponent('LAB-EX01', 'RpcProxy', 'Maintenance', 'Inactive');
  await eventually('RPC down on LAB-EX01', async () => (await serverStates()).includes('be_ex2013_rpc/lab-ex01=DOWN'), 12_000);
  seen['one service down'] = (await serverStates()).filter((state) => !state.endsWith('=UP'));
  seen['RPC goes to'] = [(await ask(8443, get('/rpc/x'), true)).header('x-feserver'), (await ask(8443, get('/rpc/x'), true)).header('x-feserver')];
  seen['down lines'] = (await log.matching(/Health check.*be_ex2013_rpc\/lab-ex01 failed|Server be_ex2013_rpc\/lab-ex01 is DOWN/, 4)).map(readLog).map((line) => line.replace(/\d+ms/, 'nms'));
  exchange.setComponent('LAB-EX01', 'RpcProxy', 'Maintenance', 'Active');
  await eventually('RPC up on LAB-EX01', async () => (await serverStates()).includes('be_ex2013_rpc/lab-ex01=UP'), 12_000);
  return seen;
}

/** The TCP article: TLS passed through, one client stays on one server. */
async function layerFour({ log }: Run): Promise<unknown> {
  const states = async (): Promise<string[]> => readStatistics((await ask(8405, get('/;csv'))).body).rows.filter((row) => row['pxname'] === 'e2k13' && row['type'] === '2').map((row) => `${row['svname']}=${row['status']} ${row['check_status']?.replace('* ', '')}`);
  await eventually('servers checked', async () => (await states()).every((state) => state.endsWith('=UP L6OK')), 10_000);
  const servers: (string | undefined)[] = [];
  for (let n = 0; n < 3; n++) servers.push((await ask(9443, get('/owa/'), true)).header('x-feserver'));
  // Before the next connection, which leaves in mid-stream and has a line of its own.
  const lines = await log.matching(/ e2k13 /, 3);
  const certificates: string[] = [];
  const client = await Client.connect(vip, 9443, { tls: { servername: 'mail.lab.local' } });
  certificates.push(client.tls.getPeerCertificate().subject?.CN as string);
  client.close();
  return { states: await states(), servers, certificates, log: lines.map((line) => readLog(line).replace(/n\/n\/n \d+ -- c\/c\/\d\/\d/, 'n/n/n bytes -- c/c/c/c')) };
}

describe('the articles\' configurations, unchanged', () => {
  let release: () => Promise<void> = () => Promise.resolve();
  before(async () => { release = await lockFixedAddresses(); });
  after(() => release());

  it('layer 7: one backend and one health check per service', { timeout: 90_000 }, async () => {
    const ports = [8080, 8443, 8404];
    const haproxy = await inFrontOfExchange('haproxy', 'exchange-l7.cfg', ports, layerSeven) as Record<string, unknown>;
    assert.match(JSON.stringify(haproxy['log']), /fe_ex2013~ be_ex2013_owa\/lab-ex0[12]/);
    assert.deepEqual(haproxy['one service down'], ['be_ex2013_rpc/lab-ex01=DOWN']);
    assert.deepEqual(await inFrontOfExchange('poise', 'exchange-l7.cfg', ports, layerSeven), haproxy);
  });

  it('layer 4: TLS passed through, stick on src', { timeout: 60_000 }, async () => {
    const ports = [8405, 9443];
    const haproxy = await inFrontOfExchange('haproxy', 'exchange-tcp.cfg', ports, layerFour) as { servers: string[] };
    assert.equal(new Set(haproxy.servers).size, 1);
    assert.deepEqual(await inFrontOfExchange('poise', 'exchange-tcp.cfg', ports, layerFour), haproxy);
  });
});
