/** `userlist` sections: users and groups for http_auth. Called by load.ts. Passwords are kept as written. */
import { cryptScheme } from '../../base/crypt.ts';
import type { Userlist } from '../../model/model.ts';
import type { Context } from '../context.ts';
import type { Line, Section } from '../line.ts';
import { didYouMean } from '../problems.ts';

interface User {
  readonly name: string;
  readonly password: string;
  readonly insecure: boolean;
  groups: string[];
  readonly line: Line;
}

interface Group {
  readonly name: string;
  readonly users: readonly string[];
  readonly line: Line;
}

function list(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

function readUser(context: Context, line: Line): User | undefined {
  const [, name = '', ...words] = line.words;
  let password = '';
  let insecure = false;
  let groups: string[] = [];
  for (let index = 0; index < words.length; index += 2) {
    const word = words[index] ?? '';
    const value = words[index + 1] ?? '';
    if (word === 'password' || word === 'insecure-password') {
      password = value;
      insecure = word === 'insecure-password';
    } else if (word === 'groups') groups = list(value);
    else {
      context.problems.error(line.place, word, `'user' does not know '${word}'`, didYouMean(word, ['password', 'insecure-password', 'groups']));
      return undefined;
    }
    if (value === '') context.problems.error(line.place, word, `'user … ${word}' needs a value`);
  }
  const looksEncrypted = /^(?:\$[0-9a-z]+\$|_|[A-Za-z0-9./]{13}$)/.test(password);
  if (!insecure && looksEncrypted && cryptScheme(password) === '') {
    context.problems.unsupported(line.place, 'password', `the password of user '${name}' is of a kind that is not supported yet`, "make one with 'openssl passwd -6'; kinds 1, 5 and 6 are known");
  } else if (!insecure && password !== '' && !looksEncrypted) {
    context.problems.warning(line.place, 'password', `the password of user '${name}' does not look encrypted`, "write 'insecure-password' for clear text, or make one with 'openssl passwd -6'");
  }
  return { name, password, insecure, groups, line };
}

export function readUserlist(context: Context, section: Section): void {
  const { draft, problems } = context;
  const users: User[] = [];
  const groups: Group[] = [];
  if (draft.userlists.some((each) => each.name === section.name)) problems.warning(section.place, section.name, `there is a userlist '${section.name}' already: this one is not used`, 'give it a name of its own');
  for (const line of section.lines) {
    const [word = '', name = ''] = line.words;
    if (word !== 'user' && word !== 'group') {
      problems.error(line.place, word, `unknown keyword '${word}' in a 'userlist' section`, didYouMean(word, ['user', 'group']));
    } else if (name === '') problems.error(line.place, word, `'${word}' needs a name`);
    else if (word === 'user') {
      const user = readUser(context, line);
      if (users.some((each) => each.name === name)) problems.error(line.place, name, `user '${name}' is there already`);
      else if (user !== undefined) users.push(user);
    } else groups.push({ name, users: line.words[2] === 'users' ? list(line.words[3] ?? '') : [], line });
  }
  joinGroups(context, section, users, groups);
  const made: Userlist = {
    index: draft.userlists.length, name: section.name, place: section.place,
    users: users.map(({ name, password, insecure, groups: of }) => ({ name, password, insecure, groups: [...new Set(of)] })),
  };
  draft.userlists.push(made);
}

function joinGroups(context: Context, section: Section, users: readonly User[], groups: readonly Group[]): void {
  for (const group of groups) {
    for (const name of group.users) {
      const user = users.find((each) => each.name === name);
      if (user === undefined) context.problems.error(group.line.place, name, `there is no user '${name}' in userlist '${section.name}'`, didYouMean(name, users.map((each) => each.name)));
      else user.groups.push(group.name);
    }
  }
  for (const user of users) {
    for (const name of user.groups) {
      if (!groups.some((group) => group.name === name)) {
        context.problems.error(user.line.place, name, `there is no group '${name}' in userlist '${section.name}'`, didYouMean(name, groups.map((group) => group.name)));
      }
    }
  }
}
