/** Outlook Anywhere in the demo: RPC_IN_DATA and RPC_OUT_DATA, paired by a cookie (MS-RPCH 3.2.1.5.3), PDUs in on one and back on the other. Used by habits.ts. */
import { randomBytes } from 'node:crypto';
import { readRts, rtsFlags, rtsPdu } from '../../exchange-sim/services/rpc-pdu.ts';
import type { Target } from './client.ts';
import { WebClient } from './web-client.ts';

const channelBytes = 1_073_741_824;
/** What CONN/A1 comes to. */
const outRequestBytes = 76;
const uri = '/rpc/rpcproxy.dll?0f8fad5b-d9cb-469f-a165-70867728950e@lab.local:6001';
const outlook = ['User-Agent: MSRPC', 'Accept: application/rpc'];

/** A command of 16 random or given bytes. */
function cookie(command: number, bytes: Buffer): number[] {
  return [command, bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
}

/** A request (C706 12.6.4.9): the common head and any text. */
function requestPdu(text: string): Buffer {
  const pdu = Buffer.alloc(16 + text.length);
  pdu.set([5, 0, 0, 3, 0x10]);
  pdu.writeUInt16LE(pdu.length, 8);
  pdu.write(text, 16, 'latin1');
  return pdu;
}

export class RpcPair {
  private readonly incoming: WebClient;
  private readonly outgoing: WebClient;

  private constructor(incoming: WebClient, outgoing: WebClient) {
    this.incoming = incoming;
    this.outgoing = outgoing;
  }

  static async open(target: Target, user: string, password: string): Promise<RpcPair> {
    const virtual = cookie(3, randomBytes(16));
    const channel = async (method: string, bytes: number): Promise<WebClient> => {
      const client = await WebClient.connect(target, { user, password });
      const proof = await client.proof(method, uri, outlook);
      client.conversation.send(client.head(method, uri, [...outlook, proof, `Content-Length: ${bytes}`]));
      return client;
    };
    const outgoing = await channel('RPC_OUT_DATA', outRequestBytes);
    outgoing.conversation.send(rtsPdu(rtsFlags.none, [6, 1], virtual, cookie(3, randomBytes(16)), [0, 65_536]));
    const head = await outgoing.conversation.until(/\r\n\r\n/);
    if (!head.startsWith('HTTP/1.1 200 ') || !head.toLowerCase().includes(`content-length: ${channelBytes}`)) throw new Error(`RPC_OUT_DATA was answered with ${head.split('\r\n')[0] ?? ''}`);
    const incoming = await channel('RPC_IN_DATA', channelBytes);
    incoming.conversation.send(rtsPdu(rtsFlags.none, [6, 1], virtual, cookie(3, randomBytes(16)), [4, channelBytes], [5, 300_000], cookie(12, randomBytes(16))));
    return new RpcPair(incoming, outgoing);
  }

  /** Milliseconds until the PDU came back. */
  async echo(text: string): Promise<number> {
    const pdu = requestPdu(text);
    const began = performance.now();
    this.incoming.conversation.send(pdu);
    const back = await this.next();
    if (!back.equals(pdu)) throw new Error('another PDU came back');
    return performance.now() - began;
  }

  close(): void {
    this.incoming.conversation.close();
    this.outgoing.conversation.close();
  }

  /** The next PDU that is not one of the channels' own. */
  private async next(): Promise<Buffer> {
    for (;;) {
      const head = await this.outgoing.conversation.bytes(16);
      const rest = await this.outgoing.conversation.bytes(Buffer.from(head, 'latin1').readUInt16LE(8) - head.length);
      const pdu = Buffer.from(head + rest, 'latin1');
      if (readRts(pdu) === null) return pdu;
    }
  }
}
