/**
 * ActiveSync (MS-ASHTTP): OPTIONS tells the versions, Ping holds without a byte until its heartbeat is over, everything else is
 * answered at once. Asked through service-list.ts. The heartbeat is read from the bare WBXML code of HeartbeatInterval.
 */
import { whenWhole } from '../body.ts';
import { answerPage } from '../page.ts';
import type { ExchangeService, SimExchange } from '../service.ts';

/** Seconds. */
const heartbeatMin = 60;
const heartbeatMax = 3540;
const bodyBytesMax = 65_536;
const versions = ['MS-Server-ActiveSync: 15.1', 'MS-ASProtocolVersions: 2.5,12.0,12.1,14.0,14.1,16.0,16.1'];
const commands = 'MS-ASProtocolCommands: Sync,SendMail,FolderSync,GetItemEstimate,Ping,ItemOperations,Provision,Settings';
const wbxml = 'Content-Type: application/vnd.ms-sync.wbxml';
/** WBXML 1.3 head, code page 13 (Ping), Ping > Status > "1": the heartbeat ended without news. */
const pingIsOver = Buffer.from([0x03, 0x01, 0x6a, 0x00, 0x00, 0x0d, 0x45, 0x47, 0x03, 0x31, 0x00, 0x01, 0x01]);

/** HeartbeatInterval with content is code 0x48, its text an inline string (0x03). */
const heartbeatStart = Buffer.from([0x48, 0x03]);

function heartbeatSeconds(body: Buffer): number {
  const at = body.indexOf(heartbeatStart);
  const asked = at < 0 ? 0 : Number.parseInt(body.toString('latin1', at + heartbeatStart.length), 10) || 0;
  return Math.min(heartbeatMax, Math.max(heartbeatMin, asked));
}

const nothing = (): void => {};

function handle(exchange: SimExchange): void {
  const { request, server } = exchange;
  const query = new URLSearchParams(request.target.split('?')[1] ?? '');
  const command = query.get('Cmd') ?? '';
  exchange.mailbox = query.get('User') ?? exchange.user;
  if (request.method === 'OPTIONS') {
    exchange.answer(200, 'OK', ['Allow: OPTIONS,POST', 'Public: OPTIONS,POST', ...versions, commands], '');
    return;
  }
  if (request.method !== 'POST') {
    answerPage(exchange);
    return;
  }
  let callOff = nothing;
  whenWhole(exchange, bodyBytesMax, (body) => {
    if (command === 'Ping') callOff = server.clock.after(heartbeatSeconds(body) * 1000, () => exchange.answer(200, 'OK', [wbxml, ...versions], pingIsOver));
    else exchange.answer(200, 'OK', [wbxml, ...versions], body);
  }, () => callOff());
}

export const activeSync: ExchangeService = { directory: '/Microsoft-Server-ActiveSync', handle };
