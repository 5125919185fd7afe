/** After a 101 or a CONNECT that succeeded: both connections become one tunnel, which stays the exchange's until it ends. */
import type { Fault } from '../../model/fault.ts';
import { leavesAsItCame, writeHead } from '../../wire/http1/write-head.ts';
import { startTunnel } from '../tcp/tunnel.ts';
import { countFault } from './faults.ts';
import { finish, logEarly } from './finish.ts';
import { noBytes, stage, type HttpExchange } from './http-exchange.ts';

/** The answer head is checked and its rules have run; bytes behind it belong to the tunnel. */
export function startUpgrade(x: HttpExchange, bytes: Buffer): void {
  const { link, back, responseHead: head, client, context, frontend } = x;
  if (link === null || back === null) return;
  x.stage = stage.tunnel;
  x.answerStarted = true;
  context.wheel.disarm(x.serverTimer);
  const written = leavesAsItCame(head) ? bytes.subarray(head.start, head.end) : writeHead(head, '', noBytes);
  x.countOut(written.length);
  client.transport.write(written);
  if (frontend.switches.logasap) logEarly(x);
  const waiting = client.takeInput();
  const fromClient = waiting === null ? x.parts : [...x.parts, waiting];
  client.release();
  const tallies = [x.front.front, x.listener.tally, back.back];
  if (x.serverPlan !== null) tallies.push(x.serverPlan.tally);
  const { timeouts } = back.proxy;
  x.tunnel = startTunnel({
    context, owner: x, client: client.transport, server: link.transport, facts: x.facts, tallies,
    clientTimeoutMs: x.clientTimeout, serverTimeoutMs: x.serverTimeout, tunnelTimeoutMs: x.tunnelTimeoutMs ?? timeouts.tunnelMs ?? 0,
    clientFinTimeoutMs: frontend.timeouts.clientFinMs ?? 0, serverFinTimeoutMs: timeouts.serverFinMs ?? 0,
    closesWithServer: !x.isConnect,
  }, fromClient, head.end < bytes.length ? [bytes.subarray(head.end)] : [], x.clientEnded, x.serverGone);
}

export function tunnelEnded(x: HttpExchange, fault: Fault | null): void {
  if (fault !== null) {
    countFault(x, fault);
    x.facts.cause = fault.cause;
    x.facts.stage = fault.stage;
    x.facts.fault = fault;
  }
  x.client.takeBack();
  finish(x, false, true);
}
