/** The second way out: one POST of JSON per change to an address of the administrator's, because the mail may travel through the very servers that are down. Used like post.ts by an Outbox of its own. */
import type { Letter } from '../model/mail.ts';

const answerMsMax = 10_000;

/** '' when the address answered with 2xx, else why not. Never throws. */
export async function postWebhook(letter: Letter, url: string): Promise<string> {
  try {
    const answer = await fetch(url, {
      method: 'POST', redirect: 'error', signal: AbortSignal.timeout(answerMsMax),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ subject: letter.subject, text: letter.text, topic: letter.topic, at: new Date(letter.atMs).toISOString() }),
    });
    await answer.arrayBuffer();
    return answer.ok ? '' : `${new URL(url).host} answered ${answer.status}`;
  } catch (error) {
    return `${new URL(url).host}: ${(error as Error).message}`;
  }
}
