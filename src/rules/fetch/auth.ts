/** Fetches of credentials and of their validity for a userlist. */
import { readCredentials, UserlistCheck } from '../auth.ts';
import type { Sample, Subject } from '../subject.ts';
import { fetch, plain, textArg, type Args, type CompileContext, type FetchMaker, type FetchTable } from '../types.ts';

function checkOf(args: Args, context: CompileContext): UserlistCheck | undefined {
  const [arg] = args;
  const userlist = arg?.kind === 'userlist' ? context.model.userlists[arg.userlist] : undefined;
  return userlist === undefined ? undefined : new UserlistCheck(userlist);
}

/** The user when the credentials are good, else undefined. */
function validUser(s: Subject, check: UserlistCheck | undefined): string | undefined {
  const credentials = check === undefined ? undefined : readCredentials(s);
  if (check === undefined || credentials === undefined || credentials.scheme.toLowerCase() !== 'basic') return undefined;
  return check.valid(credentials.user, credentials.password) ? credentials.user : undefined;
}

function part(read: (s: Subject) => Sample): FetchMaker {
  return plain(read);
}

export const authFetches: FetchTable = {
  http_auth: fetch((args, context) => {
    const check = checkOf(args, context);
    return (s) => (readCredentials(s)?.scheme.toLowerCase() === 'basic' ? validUser(s, check) !== undefined : undefined);
  }),
  // The ACL compares group names: each group of the user is one value. As a sample it gives the user.
  http_auth_group: {
    make: (args, context) => {
      const check = checkOf(args, context);
      return (s) => validUser(s, check);
    },
    each: (args, context) => {
      const check = checkOf(args, context);
      return (s, visit) => {
        const user = validUser(s, check);
        return user !== undefined && check !== undefined && check.groups(user).some((group) => visit(group, s));
      };
    },
  },
  http_auth_user: part((s) => {
    const credentials = readCredentials(s);
    return credentials?.scheme.toLowerCase() === 'basic' ? credentials.user : undefined;
  }),
  http_auth_pass: part((s) => {
    const credentials = readCredentials(s);
    return credentials?.scheme.toLowerCase() === 'basic' ? credentials.password : undefined;
  }),
  http_auth_type: part((s) => readCredentials(s)?.scheme),
  http_auth_bearer: fetch((args) => {
    const header = textArg(args, 0).toLowerCase();
    return (s) => {
      if (header === '') {
        const credentials = readCredentials(s);
        return credentials?.scheme.toLowerCase() === 'bearer' ? credentials.rest : undefined;
      }
      const line = s.request?.find(header, 0) ?? -1;
      const match = line < 0 ? null : /^bearer +(.*)$/i.exec(s.request?.value(line) ?? '');
      return match === null ? undefined : match[1];
    };
  }),
};
