/**
 * Long work in steps: a generator yields where it may pause and returns what it made. Run at once where nobody waits, or in slices between
 * which the event loop serves everybody else. Used by the traffic threads at start and reload.
 */

/** How long a slice may take; the step that passes the time still ends. */
const sliceMs = 2;

export function atOnce<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

export async function inSlices<T>(steps: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const untilMs = performance.now() + sliceMs;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < untilMs);
    await pause();
  }
}

/** Lets the event loop serve everybody else once. */
export function pause(): Promise<void> {
  return new Promise((resolve) => { setImmediate(resolve); });
}
