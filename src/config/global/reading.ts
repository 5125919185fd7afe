/** One line of the global section being read. */
import { Reading } from '../context.ts';
import type { GlobalDraft } from '../draft.ts';
import { LineScope } from '../line-scope.ts';

export class GlobalReading extends Reading {
  get global(): GlobalDraft {
    return this.context.draft.global;
  }

  scope(): LineScope {
    return new LineScope(this.context, { proxy: -1, mode: 'http', acls: new Map(), captures: null }, 'global', this.place);
  }
}
