/** One letter to one of several relays, tried in turn, through nodemailer. Used by mail/outbox.ts. Keeps no connection between letters. */
import { createTransport } from 'nodemailer';
import type { SendMailOptions } from 'nodemailer';
import { keptAddresses } from '../base/kept-names.ts';
import type { Letter, Relay } from '../model/mail.ts';

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

/** Quotes in a subject need no encoding, and programs that look for the words find them. */
function subjectHeader(subject: string): string | { readonly prepared: boolean; readonly foldLines: boolean; readonly value: string } {
  return /^[\x20-\x7e]*$/.test(subject) ? { prepared: true, foldLines: true, value: subject } : subject;
}

async function postTo(letter: Letter, relay: Relay): Promise<string> {
  const [known] = keptAddresses(relay.host);
  const transport = createTransport({
    host: known?.address ?? relay.host, port: relay.port, name: letter.helo === '' ? relay.helo : letter.helo,
    secure: relay.security === 'tls', requireTLS: relay.security === 'required',
    // A relay that offers STARTTLS with a certificate of its own making still gets the letter, unless TLS was asked for.
    tls: { ...(known === undefined ? {} : { servername: relay.host }), rejectUnauthorized: relay.security !== 'opportunistic' && relay.verifyCertificate },
    ...(relay.user === '' ? {} : { auth: { user: relay.user, pass: relay.password } }),
    connectionTimeout: relay.connectTimeoutMs, greetingTimeout: relay.connectTimeoutMs, socketTimeout: relay.sendTimeoutMs,
  });
  // Limits of silence alone would let a server that sends a byte now and then hold the queue for ever.
  const late = AbortSignal.timeout(relay.sendTimeoutMs);
  const options: SendMailOptions & { readonly signal: AbortSignal } = {
    from: letter.from, to: [...letter.to], text: letter.text, date: new Date(letter.atMs), xMailer: false,
    headers: { Subject: subjectHeader(letter.subject), ...(letter.mailer === '' ? {} : { 'X-Mailer': letter.mailer }) }, signal: late,
  };
  try {
    await transport.sendMail(options);
    return '';
  } catch (error) {
    return late.aborted ? `it did not take the letter within ${relay.sendTimeoutMs} ms` : (error as Error).message;
  } finally {
    transport.close();
  }
}
