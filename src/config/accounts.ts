/** Names of users and groups → numbers, from /etc/passwd and /etc/group. Called by global, bind and stats socket readers. */
import type { Reading } from './context.ts';

function find(reading: Reading, file: string, what: string, name: string): number | undefined {
  const bytes = reading.context.files.read(file);
  const text = typeof bytes === 'string' ? '' : Buffer.from(bytes).toString('latin1');
  for (const line of text.split('\n')) {
    const [entry = '', , id = ''] = line.split(':');
    if (entry === name && /^\d+$/.test(id)) return Number(id);
  }
  reading.error(name, `there is no ${what} '${name}' on this machine`, `create it, or name another ${what}`);
  return undefined;
}

export function userId(reading: Reading, name: string): number | undefined {
  return find(reading, '/etc/passwd', 'user', name);
}

export function groupId(reading: Reading, name: string): number | undefined {
  return find(reading, '/etc/group', 'group', name);
}
