/**
 * A problem found in a configuration. Made by config/, printed by cli/ and by the runtime `reload`.
 * Never thrown: readers collect problems and go on, so that one run reports them all.
 */

/** Where a word stands in a configuration file. `line` counts from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/**
 * - `error`: the configuration cannot be used.
 * - `unsupported`: HAProxy knows the word, Poise does not yet; counts as an error.
 * - `warning`: accepted, but something should be changed.
 * - `notice`: accepted, without effect here, or told for information.
 */
export type Severity = 'error' | 'unsupported' | 'warning' | 'notice';

export interface Problem {
  readonly severity: Severity;
  readonly place: Place;
  /** The word that is at fault, as written; '' when the fault is the absence of something. */
  readonly word: string;
  /** One sentence without a full stop: what is wrong. */
  readonly message: string;
  /** What to do next: a modern line, a suggestion, a command; '' when the message says it. */
  readonly remedy: string;
}
