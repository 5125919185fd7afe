/** One letter to one of several relays, tried in turn, through nodemailer. Used by mail/outbox.ts. Keeps no connection between letters. */
import { createTransport } from 'nodemailer';
import type { Letter, Relay } from '../model/mail.ts';

const sendMsMax = 60_000;

/** '' when a relay took it, else what each of them said. */
export async function post(letter: Letter, relays: readonly Relay[]): Promise<string> {
  const said: string[] = [];
  for (const relay of relays) {
    const why = await postTo(letter, relay);
    if (why === '') return '';
    said.push(`${relay.host}:${relay.port}: ${why}`);
  }
  return said.length === 0 ? 'there is no relay' : said.join('; ');
}

async function postTo(letter: Letter, relay: Relay): Promise<string> {
  const transport = createTransport({
    host: relay.host, port: relay.port, name: relay.helo,
    secure: relay.security === 'tls', requireTLS: relay.security === 'required',
    // A relay that offers STARTTLS with a certificate of its own making still gets the letter, unless TLS was asked for.
    tls: { rejectUnauthorized: relay.security !== 'opportunistic' && relay.verifyCertificate },
    ...(relay.user === '' ? {} : { auth: { user: relay.user, pass: relay.password } }),
    connectionTimeout: relay.connectTimeoutMs, greetingTimeout: relay.connectTimeoutMs, socketTimeout: sendMsMax,
  });
  try {
    await transport.sendMail({
      from: letter.from, to: [...letter.to], subject: letter.subject, text: letter.text, date: new Date(letter.atMs),
      ...(letter.mailer === '' ? {} : { xMailer: false, headers: { 'X-Mailer': letter.mailer } }),
    });
    return '';
  } catch (error) {
    return (error as Error).message;
  } finally {
    transport.close();
  }
}
