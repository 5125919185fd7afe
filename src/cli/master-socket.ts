/** Reads `-S <address>[,<option>[,<value>]…]`: the socket of the master, with the options of `stats socket`. Called by run.ts. */
import { diskFiles } from '../config/files.ts';
import { loadConfiguration } from '../config/load.ts';
import type { StatsSocket } from '../model/model.ts';

/** A file that only exists here, so that the one reader of such lines reads it. */
const virtualFile = '-S';

/** The socket, or what is wrong with it. */
export function readMasterSocket(text: string): StatsSocket | string {
  const words = text.split(',');
  const level = words.includes('level') ? '' : ' level admin';
  const disk = diskFiles(process.cwd());
  const bytes = Buffer.from(`global\n    stats socket ${words.join(' ')}${level}\n`);
  const { model, problems } = loadConfiguration([virtualFile], {
    files: {
      read: (path) => (path === virtualFile ? bytes : disk.read(path)),
      kind: (path) => (path === virtualFile ? 'file' : disk.kind(path)),
      list: (path) => disk.list(path),
    },
  });
  const wrong = problems.find(({ severity }) => severity === 'error' || severity === 'unsupported');
  return model?.global.statsSockets[0] ?? `-S ${text}: ${wrong?.message ?? 'no address'}`;
}
