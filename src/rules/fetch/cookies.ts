/** Fetches of cookies: the request's Cookie lines and the response's Set-Cookie lines. */
import type { Head } from '../../wire/head.ts';
import type { Sample, Subject } from '../subject.ts';
import { fetch, textArg, type FetchMaker, type FetchTable, type Visit } from '../types.ts';
import { textToInt } from '../values.ts';

type Pick = (s: Subject) => Head | null;

interface Direction {
  readonly pick: Pick;
  readonly header: string;
  /** Only the first pair of a line is a cookie (Set-Cookie); the rest are attributes. */
  readonly firstOnly: boolean;
}

const inRequest: Direction = { pick: (s) => s.request, header: 'cookie', firstOnly: false };
const inResponse: Direction = { pick: (s) => s.response, header: 'set-cookie', firstOnly: true };

/** Shows the value (quotes included) of each cookie called `name` ('' = any) until `visit` answers true. */
function eachCookie(line: string, name: string, firstOnly: boolean, visit: (value: string) => boolean): boolean {
  for (let from = 0; from < line.length;) {
    let end = line.indexOf(';', from);
    if (end < 0) end = line.length;
    const equal = line.indexOf('=', from);
    if (equal > 0 && equal < end && (name === '' || line.slice(from, equal).trim() === name) && visit(line.slice(equal + 1, end).trim())) return true;
    if (firstOnly) return false;
    from = end + 1;
  }
  return false;
}

function eachOf(direction: Direction, s: Subject, name: string, visit: (value: string) => boolean): boolean {
  const head = direction.pick(s);
  if (head === null) return false;
  for (let i = head.find(direction.header, 0); i >= 0; i = head.find(direction.header, i + 1)) {
    if (eachCookie(head.value(i), name, direction.firstOnly, visit)) return true;
  }
  return false;
}

function value(direction: Direction, convert: (text: string) => Sample): FetchMaker {
  return {
    make: (args) => {
      const name = textArg(args, 0);
      return (s) => {
        let found: string | undefined;
        // The last of equal names counts; without a name the first cookie does.
        eachOf(direction, s, name, (text) => { found = text; return name === ''; });
        return found === undefined ? undefined : convert(found);
      };
    },
    each: (args) => {
      const name = textArg(args, 0);
      return (s: Subject, visit: Visit) => eachOf(direction, s, name, (text) => {
        const made = convert(text);
        return made !== undefined && visit(made, s);
      });
    },
  };
}

function count(direction: Direction): FetchMaker {
  return fetch((args) => {
    const name = textArg(args, 0);
    return (s) => {
      if (direction.pick(s) === null) return undefined;
      let found = 0;
      eachOf(direction, s, name, () => { found++; return false; });
      return found;
    };
  });
}

const asText = (text: string): Sample => text;
const byDirection = (s: Subject): Direction => (s.response === null ? inRequest : inResponse);

export const cookieFetches: FetchTable = {
  'req.cook': value(inRequest, asText),
  'req.cook_val': value(inRequest, textToInt),
  'req.cook_cnt': count(inRequest),
  'res.cook': value(inResponse, asText),
  'res.cook_val': value(inResponse, textToInt),
  'res.cook_cnt': count(inResponse),
  cookie: fetch((args) => {
    const name = textArg(args, 0);
    return (s) => {
      let found: string | undefined;
      eachOf(byDirection(s), s, name, (text) => { found = text; return name === ''; });
      return found;
    };
  }),
};
