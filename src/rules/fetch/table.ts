/** All fetches by name. Read by compile.ts; a test compares the names with model/catalog/fetches.ts. */
import type { FetchTable } from '../types.ts';
import { authFetches } from './auth.ts';
import { connectionFetches } from './connection.ts';
import { cookieFetches } from './cookies.ts';
import { headerFetches } from './headers.ts';
import { payloadFetches } from './payload.ts';
import { processFetches } from './process.ts';
import { targetFetches } from './target.ts';
import { tlsFetches } from './tls.ts';

export const fetchTable: FetchTable = {
  ...authFetches, ...connectionFetches, ...cookieFetches, ...headerFetches, ...payloadFetches, ...processFetches, ...targetFetches, ...tlsFetches,
};
