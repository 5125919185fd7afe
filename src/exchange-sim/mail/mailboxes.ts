/** The mailboxes of the simulated site, in memory: SMTP puts letters in, IMAP and POP read them. Also knows who may log in. */
const lettersMax = 1000;

export interface Letter {
  readonly uid: number;
  readonly bytes: Buffer;
  seen: boolean;
  deleted: boolean;
}

/** User names compare as Windows does: without regard to case; `LAB\anna` and `anna@lab.local` are `anna`. */
function plainName(user: string): string {
  const afterDomain = user.slice(user.lastIndexOf('\\') + 1);
  return (afterDomain.split('@')[0] ?? '').toLowerCase();
}

export class Mailboxes {
  private readonly passwords = new Map<string, string>();
  private readonly letters = new Map<string, Letter[]>();
  private lastUid = 0;

  constructor(users: readonly (readonly [user: string, password: string])[]) {
    for (const [user, password] of users) this.passwords.set(plainName(user), password);
  }

  mayLogIn(user: string, password: string): boolean {
    return this.passwords.get(plainName(user)) === password;
  }

  has(user: string): boolean {
    return this.passwords.has(plainName(user));
  }

  /** False when the mailbox is full. */
  deliver(user: string, bytes: Buffer): boolean {
    const box = this.of(user);
    if (box.length >= lettersMax) return false;
    this.lastUid += 1;
    box.push({ uid: this.lastUid, bytes, seen: false, deleted: false });
    return true;
  }

  of(user: string): Letter[] {
    const name = plainName(user);
    const box = this.letters.get(name) ?? [];
    this.letters.set(name, box);
    return box;
  }

  /** Takes out what is marked as deleted; gives the places it had, last first, counted from 1. */
  expunge(user: string): number[] {
    const box = this.of(user);
    const places: number[] = [];
    for (let at = box.length - 1; at >= 0; at -= 1) {
      if (box[at]?.deleted !== true) continue;
      box.splice(at, 1);
      places.push(at + 1);
    }
    return places;
  }
}
