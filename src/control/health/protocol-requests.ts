/**
 * Request bytes of the ready-made protocol checks. Constants where nothing varies.
 */

/** SSLv3-format client hello (RFC 6101) that HAProxy sends: 121 bytes, an easily recognised random, old ciphers only. */
export function helloBytes(nowSeconds: number): Uint8Array {
  const ciphers: number[] = [];
  for (let cipher = 0x01; cipher <= 0x1b; cipher += 1) ciphers.push(0, cipher);
  for (let cipher = 0x2f; cipher <= 0x3a; cipher += 1) ciphers.push(0, cipher);
  const time = Buffer.alloc(4);
  time.writeUInt32BE(nowSeconds >>> 0);
  return Buffer.concat([
    // Record: handshake, version 3.0, length; message: client hello, length, version 3.0.
    Buffer.from([0x16, 0x03, 0x00, 0x00, 0x79, 0x01, 0x00, 0x00, 0x75, 0x03, 0x00]),
    time,
    Buffer.from('HAPROXYSSLCHK\nHAPROXYSSLCHK\n', 'latin1'),
    // No session id, ciphers, no compression.
    Buffer.from([0x00, 0x00, ciphers.length, ...ciphers, 0x01, 0x00]),
  ]);
}

export const redisPing: Uint8Array = Buffer.from('*1\r\n$4\r\nPING\r\n', 'latin1');

/** Anonymous LDAPv3 simple bind, message 1 (RFC 4511 4.2). */
export const ldapBind: Uint8Array = Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x01, 0x60, 0x07, 0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00]);

/** StartupMessage of protocol 3.0 … as HAProxy counts it: length, then the version, `user` and the name. */
export function pgsqlStartup(user: string): Uint8Array {
  const name = Buffer.from(user, 'latin1');
  const head = Buffer.alloc(8);
  head.writeUInt32BE(name.length + 15, 0);
  head.writeUInt32BE(0x00030000, 4);
  return Buffer.concat([head, Buffer.from('user\0', 'latin1'), name, Buffer.from([0, 0])]);
}

/** Login without password (post-4.1 or older form), then COM_QUIT. */
export function mysqlLogin(user: string, post41: boolean): Uint8Array {
  const name = Buffer.from(`${user}\0`, 'latin1');
  const quit = Buffer.from([0x01, 0x00, 0x00, 0x00, 0x01]);
  const packet = post41
    // Capabilities, largest packet, character set, 23 reserved bytes, user, no password.
    ? Buffer.concat([Buffer.from([0x00, 0x82, 0x00, 0x00, 0x00, 0x80, 0x00, 0x01, 0x21]), Buffer.alloc(23), name, Buffer.from([0x00])])
    // Capabilities, largest packet, user.
    : Buffer.concat([Buffer.from([0x00, 0x80, 0x00, 0x00, 0x01]), name, Buffer.from([0x00])]);
  const head = Buffer.alloc(4);
  head.writeUIntLE(packet.length, 0, 3);
  head.writeUInt8(1, 3);
  return Buffer.concat([head, packet, quit]);
}

/** HAPROXY-HELLO that says it is a health check (SPOE specification 3.2.4). */
export const spopHello: Uint8Array = Buffer.concat([
  Buffer.from([0x00, 0x00, 0x00, 0x4e, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00]),
  spopText(0x12, 'supported-versions'), spopText(0x08, ''), spopText(0x03, '2.0'),
  spopText(0x0e, 'max-frame-size'), Buffer.from([0x03, 0xfc, 0xf0, 0x06]),
  spopText(0x0c, 'capabilities'), Buffer.from([0x08, 0x00]),
  spopText(0x0b, 'healthcheck'), Buffer.from([0x11]),
]);

/** A text after the byte given: its length, or the type of a value. */
function spopText(first: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([first]), Buffer.from(text, 'latin1')]);
}
