/** Questions to all threads: when an answer is whole, and that a thread that is gone holds nobody up. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { ThreadQuestions } from '../../../src/admin/thread-questions.ts';
import { limits } from '../../../src/model/limits.ts';
import type { ToTraffic } from '../../../src/model/messages.ts';

function asked(): { readonly questions: ThreadQuestions; readonly ids: number[] } {
  const ids: number[] = [];
  return { questions: new ThreadQuestions(2, (message: ToTraffic) => { if (message.type === 'ask') ids.push(message.id); }), ids };
}

const answer = (thread: number, id: number, found = false) => ({ type: 'answered' as const, thread, id, found, sessions: [] });

test('an answer is whole when every thread has answered, questions do not mix', async () => {
  const { questions, ids } = asked();
  const first = questions.ask({ kind: 'settled' });
  const second = questions.ask({ kind: 'shutdown-session', session: 5 });
  const [one = 0, two = 0] = ids;
  assert.notEqual(one, two);
  questions.receive(answer(0, two));
  questions.receive(answer(0, one));
  questions.receive(answer(1, two, true));
  assert.deepEqual((await second).map(({ found }) => found), [false, true]);
  questions.receive(answer(1, one));
  assert.equal((await first).length, 2);
  // Late and unknown ones change nothing.
  questions.receive(answer(0, one));
  questions.receive(answer(0, 99));
});

test('a thread that does not answer is waited for so long and no longer', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { questions, ids } = asked();
    const asking = questions.ask({ kind: 'sessions' });
    questions.receive(answer(1, ids[0] ?? 0));
    mock.timers.tick(limits.adminThreadAnswerMsMax);
    assert.deepEqual((await asking).map(({ thread }) => thread), [1]);
  } finally {
    mock.timers.reset();
  }
});
